import { Inject, Injectable } from '@nestjs/common';

import { formatId, parseId, type CommandKind, type HarnessCommand } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { Writer } from '../storage/writer.service.js';

interface CommandRecord {
  id: number;
  agent: number;
  turn: number | null;
  kind: CommandKind;
  model: string | null;
  discard: number;
}

export interface NewCommand {
  agent: number;
  /** Set for a cancel: it is for this turn only. */
  turn: number | null;
  kind: CommandKind;
  model?: string;
  discard?: boolean;
}

/**
 * Commands to harnesses, on disk until confirmed by id (P18). Each answer to a harness carries all that are open; only
 * one that it was not given before answers its long-poll at once, so that a slow harness is not called in a circle.
 */
@Injectable()
export class Commands {
  private readonly insertRow;
  private readonly openRows;
  private readonly setDone;
  private readonly dropTurn;
  private readonly anyOpen;
  private readonly given = new Map<number, Set<number>>();
  /** Agents with open commands: nearly none, so that a heartbeat costs no query. */
  private open = new Set<number>();

  constructor(
    { db }: ThreadsDb,
    writer: Writer,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.insertRow = db.prepare<
      [number, number | null, CommandKind, string | null, number, number]
    >(
      'INSERT INTO commands (agent, turn, kind, model, discard, asked_at) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.openRows = db.prepare<[number], CommandRecord>(
      'SELECT * FROM commands WHERE agent = +? AND done_at IS NULL ORDER BY id',
    );
    this.setDone = db.prepare<[number, number, number]>(
      'UPDATE commands SET done_at = ? WHERE id = ? AND agent = ? AND done_at IS NULL',
    );
    this.dropTurn = db.prepare<[number, number, number]>(
      'UPDATE commands SET done_at = ? WHERE agent = ? AND turn = ? AND done_at IS NULL',
    );
    this.anyOpen = db
      .prepare<[], number>('SELECT DISTINCT agent FROM commands WHERE done_at IS NULL')
      .pluck();
    this.reload();
    writer.onRollback(() => this.reload());
  }

  /** Inside a request, as everything that changes rows. Returns the command's wire id. */
  add({ agent, turn, kind, model, discard }: NewCommand): string {
    const id = this.insertRow.run(
      agent,
      turn,
      kind,
      model ?? null,
      discard ? 1 : 0,
      this.clock.now(),
    ).lastInsertRowid;
    this.open.add(agent);
    return formatId('c', Number(id));
  }

  /** The harness carried these out. Unknown ids are passed over: a confirmation may be repeated. */
  confirm(agent: number, ids: readonly string[]): void {
    for (const wire of ids) {
      const id = parseId('c', wire);
      if (id !== undefined) this.setDone.run(this.clock.now(), id, agent);
    }
    if (ids.length > 0) this.recount(agent);
  }

  /** The turn is over: a cancel of it means nothing any more. */
  endTurn(agent: number, turn: number): void {
    if (!this.open.has(agent)) return;
    this.dropTurn.run(this.clock.now(), agent, turn);
    this.recount(agent);
  }

  /** Whether there is one that the harness was not given yet. */
  hasNew(agent: number): boolean {
    if (!this.open.has(agent)) return false;
    const given = this.given.get(agent);
    return this.openRows.all(agent).some((command) => !given?.has(command.id));
  }

  /** All open commands, which now count as given. */
  take(agent: number): HarnessCommand[] {
    if (!this.open.has(agent)) return [];
    const rows = this.openRows.all(agent);
    this.given.set(agent, new Set(rows.map((command) => command.id)));
    return rows.map(toWire);
  }

  /** A new harness instance was given nothing yet. */
  forgetGiven(agent: number): void {
    this.given.delete(agent);
  }

  private recount(agent: number): void {
    if (this.openRows.all(agent).length === 0) this.open.delete(agent);
  }

  private reload(): void {
    this.open = new Set(this.anyOpen.all());
  }
}

function toWire(command: CommandRecord): HarnessCommand {
  return {
    id: formatId('c', command.id),
    kind: command.kind,
    ...(command.model === null ? {} : { model: command.model }),
    ...(command.kind === 'cancel' ? { discard: command.discard === 1 } : {}),
  };
}
