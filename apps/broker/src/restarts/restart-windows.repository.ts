import { Injectable } from '@nestjs/common';

import { ThreadsDb } from '../storage/threads.db.js';

/** A planned restart of one agent that is under way (P24). */
export interface RestartWindow {
  agent: number;
  operation: string;
  /** Milliseconds since 1970 after which it is over in any case. */
  until: number;
  /** What the agent is told once it is back; null: nothing. */
  text: string | null;
}

/** Rows of `restart_windows` and `restart_wakes`. Writes only from inside a request. */
@Injectable()
export class RestartWindowsRepository {
  private readonly insertRow;
  private readonly selectAll;
  private readonly deleteAgent;
  private readonly deleteOperation;
  private readonly insertWake;
  private readonly wakeOf;
  private readonly unreadWake;

  constructor({ db }: ThreadsDb) {
    this.insertRow = db.prepare<[number, string, number, string | null]>(
      'INSERT INTO restart_windows (agent, operation, until, text) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    );
    this.selectAll = db.prepare<[], RestartWindow>(
      'SELECT * FROM restart_windows ORDER BY agent, operation',
    );
    this.deleteAgent = db.prepare<[number]>('DELETE FROM restart_windows WHERE agent = ?');
    this.deleteOperation = db.prepare<[string]>('DELETE FROM restart_windows WHERE operation = ?');
    this.insertWake = db.prepare<[number, string, number]>(
      'INSERT INTO restart_wakes (agent, operation, message) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    );
    this.wakeOf = db
      .prepare<[number, string], number>(
        'SELECT 1 FROM restart_wakes WHERE agent = +? AND operation = +?',
      )
      .pluck();
    this.unreadWake = db
      .prepare<[number], number>(
        `SELECT 1 FROM restart_wakes w JOIN deliveries d ON d.message = w.message AND d.recipient = w.agent
         WHERE w.agent = +? AND d.state IN ('queued', 'leased') LIMIT 1`,
      )
      .pluck();
  }

  add({ agent, operation, until, text }: RestartWindow): void {
    this.insertRow.run(agent, operation, until, text);
  }

  all(): RestartWindow[] {
    return this.selectAll.all();
  }

  removeOf(agent: number): void {
    this.deleteAgent.run(agent);
  }

  /** Returns how many agents it was still about. */
  removeOperation(operation: string): number {
    return this.deleteOperation.run(operation).changes;
  }

  /** Whether the agent was told of this restart, or a wake after a restart is unread (EXECUTIONS H24). */
  needsNoWake(agent: number, operation: string): boolean {
    return (
      this.wakeOf.get(agent, operation) !== undefined || this.unreadWake.get(agent) !== undefined
    );
  }

  addWake(agent: number, operation: string, message: number): void {
    this.insertWake.run(agent, operation, message);
  }
}
