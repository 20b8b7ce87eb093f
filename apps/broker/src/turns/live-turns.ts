import { Injectable } from '@nestjs/common';

import { Writer } from '../storage/writer.service.js';
import type { LiveTurn } from './turn.js';
import { TurnsRepository, type TurnEnd } from './turns.repository.js';

/** The live turns in memory, equal to their rows at every moment: changed together, read again after a rollback. */
@Injectable()
export class LiveTurns {
  private agents = new Map<number, LiveTurn>();
  private runs = new Map<string, LiveTurn>();

  constructor(
    private readonly rows: TurnsRepository,
    writer: Writer,
  ) {
    this.reload();
    writer.onRollback(() => this.reload());
  }

  /** The agent's live turn; there is at most one (P7). */
  of(agent: number): LiveTurn | undefined {
    return this.agents.get(agent);
  }

  /** The live turn that a run's token is bound to (P2). */
  ofRun(tokenHash: string): LiveTurn | undefined {
    return this.runs.get(tokenHash);
  }

  get size(): number {
    return this.agents.size;
  }

  all(): Iterable<LiveTurn> {
    return this.agents.values();
  }

  /** Inside a request, as everything below. */
  start(turn: Omit<LiveTurn, 'id'>): LiveTurn {
    this.rows.addRun(turn.run, turn.agent, turn.instance);
    const live = { ...turn, id: this.rows.insert(turn) };
    this.keep(live);
    return live;
  }

  update(
    turn: LiveTurn,
    changes: Partial<Pick<LiveTurn, 'run' | 'hop' | 'next_turn' | 'cancel'>>,
  ): void {
    if (changes.run !== undefined && changes.run !== turn.run) {
      this.rows.addRun(changes.run, turn.agent, turn.instance);
      this.runs.delete(turn.run);
      this.runs.set(changes.run, turn);
    }
    Object.assign(turn, changes);
    this.rows.saveProgress(turn);
  }

  end(turn: LiveTurn, end: TurnEnd): void {
    this.rows.end(turn.id, end);
    this.agents.delete(turn.agent);
    this.runs.delete(turn.run);
  }

  private reload(): void {
    this.agents = new Map();
    this.runs = new Map();
    for (const turn of this.rows.live()) this.keep(turn);
  }

  private keep(turn: LiveTurn): void {
    this.agents.set(turn.agent, turn);
    this.runs.set(turn.run, turn);
  }
}
