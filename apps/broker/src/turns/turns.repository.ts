import { Injectable } from '@nestjs/common';

import type { ResultKind } from '#libs/protocol';

import { ThreadsDb } from '../storage/threads.db.js';
import type { EndedBy, LiveTurn, TurnRecord } from './turn.js';

/** What the end of a turn leaves in its row. */
export interface TurnEnd {
  ended_at: number;
  ended_by: EndedBy;
  result_kind: ResultKind;
  note: string;
  acked: number[];
  returned: number[];
  /** JSON of the harness' telemetry, null when it never reported. */
  telemetry: string | null;
}

/** Rows of `turns` and `runs`. Writes only from inside a request. */
@Injectable()
export class TurnsRepository {
  private readonly insertRow;
  private readonly selectOne;
  private readonly liveRows;
  private readonly setEnd;
  private readonly setProgress;
  private readonly toJournal;
  private readonly setJournaled;
  private readonly putRun;
  private readonly getRun;
  private readonly runsOf;
  private readonly revokeRuns;

  constructor({ db }: ThreadsDb) {
    this.insertRow = db.prepare<Omit<LiveTurn, 'id'>>(
      `INSERT INTO turns (agent, instance, run, started_at, wake, wake_reason, wake_from, thread, reminder, attempt, redelivered,
         hop, next_turn, cancel)
       VALUES (@agent, @instance, @run, @started_at, @wake, @wake_reason, @wake_from, @thread, @reminder, @attempt, @redelivered,
         @hop, @next_turn, @cancel)`,
    );
    this.selectOne = db.prepare<[number], TurnRecord>('SELECT * FROM turns WHERE id = ?');
    this.liveRows = db.prepare<[], LiveTurn>('SELECT * FROM turns WHERE ended_at IS NULL');
    this.setEnd = db.prepare(
      `UPDATE turns SET ended_at = @ended_at, ended_by = @ended_by, result_kind = @result_kind, note = @note,
         acked = @acked, returned = @returned, telemetry = @telemetry, journaled = 0 WHERE id = @id`,
    );
    this.setProgress = db.prepare<Pick<LiveTurn, 'id' | 'run' | 'hop' | 'next_turn' | 'cancel'>>(
      'UPDATE turns SET run = @run, hop = @hop, next_turn = @next_turn, cancel = @cancel WHERE id = @id',
    );
    this.toJournal = db.prepare<[number], TurnRecord>(
      'SELECT * FROM turns WHERE ended_at IS NOT NULL AND journaled = 0 ORDER BY id LIMIT +?',
    );
    this.setJournaled = db.prepare<[number, string]>(
      'UPDATE turns SET journaled = 1, telemetry = NULL WHERE id = ? AND ended_by = ?',
    );
    this.putRun = db.prepare<[string, number, number]>(
      'INSERT INTO runs (token_hash, agent, instance) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    );
    this.getRun = db.prepare<[string], { agent: number; instance: number; revoked: number }>(
      'SELECT agent, instance, revoked FROM runs WHERE token_hash = ?',
    );
    this.runsOf = db
      .prepare<[number], string>('SELECT token_hash FROM runs WHERE agent = +? AND revoked = 0')
      .pluck();
    this.revokeRuns = db.prepare<[number, number]>(
      'UPDATE runs SET revoked = 1, revoked_at = ? WHERE agent = +? AND revoked = 0',
    );
  }

  insert(turn: Omit<LiveTurn, 'id'>): number {
    return Number(this.insertRow.run(turn).lastInsertRowid);
  }

  find(id: number): TurnRecord | undefined {
    return this.selectOne.get(id);
  }

  live(): LiveTurn[] {
    return this.liveRows.all();
  }

  saveProgress({ id, run, hop, next_turn, cancel }: LiveTurn): void {
    this.setProgress.run({ id, run, hop, next_turn, cancel });
  }

  end(id: number, end: TurnEnd): void {
    this.setEnd.run({
      ...end,
      id,
      acked: JSON.stringify(end.acked),
      returned: JSON.stringify(end.returned),
    });
  }

  /** Ended turns of which telemetry.db has no row yet, oldest first. */
  unjournaled(limit: number): TurnRecord[] {
    return this.toJournal.all(limit);
  }

  /** telemetry.db has the row of the turn as it ended by `endedBy`; a later result is still to come. */
  markJournaled(id: number, endedBy: EndedBy): void {
    this.setJournaled.run(id, endedBy);
  }

  addRun(tokenHash: string, agent: number, instance: number): void {
    this.putRun.run(tokenHash, agent, instance);
  }

  run(tokenHash: string): { agent: number; instance: number; revoked: number } | undefined {
    return this.getRun.get(tokenHash);
  }

  /** Revokes every run of the agent; returns their hashes. */
  revoke(agent: number, now: number): string[] {
    const runs = this.runsOf.all(agent);
    if (runs.length > 0) this.revokeRuns.run(now, agent);
    return runs;
  }
}
