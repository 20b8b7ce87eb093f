import { Inject, Injectable } from '@nestjs/common';

import { formatId, isoTime, type OperationRow, type OperationState } from '#libs/protocol';
import type { Clock } from '#libs/service';
import type { Db } from '#libs/store';

import { C0reDatabase } from '../database/c0re.database.js';
import { CLOCK } from '../settings/tokens.js';

/** The verbs of PRODUCT 4.1 that are operations. */
export type OperationKind = 'spawn' | 'start' | 'stop' | 'restart' | 'deploy' | 'destroy';

/** Whether nothing more happens to it. */
export function isOver({ state }: Pick<Operation, 'state'>): boolean {
  return state !== 'queued' && state !== 'running';
}

export interface Operation {
  id: number;
  kind: OperationKind;
  agent_id: number;
  agent: string;
  state: OperationState;
  asked_by: string;
  reason: string;
  asked_at: number;
  started_at: number | null;
  ended_at: number | null;
  error: string | null;
  version: number;
}

const SELECT =
  'SELECT operations.*, agents.name AS agent FROM operations JOIN agents ON agents.id = operations.agent_id';

/** The rows of operations (P27): what is asked, what runs, what came of it. */
@Injectable()
export class OperationRepository {
  private readonly db: Db;
  private readonly listeners = new Set<(id: number) => void>();

  constructor(
    database: C0reDatabase,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.db = database.db;
  }

  /** Calls the listener after each change of a row, until what it returns is called. */
  onChange(listener: (id: number) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Runs `work` as one transaction. */
  together<T>(work: () => T): T {
    return this.db.transaction(work).immediate();
  }

  insert(asked: Pick<Operation, 'kind' | 'agent_id' | 'asked_by' | 'reason'>): Operation {
    const { lastInsertRowid } = this.db
      .prepare(
        `INSERT INTO operations (kind, agent_id, state, asked_by, reason, asked_at)
         VALUES (@kind, @agent_id, 'queued', @asked_by, @reason, @asked_at)`,
      )
      .run({ ...asked, asked_at: this.clock.now() });
    const id = Number(lastInsertRowid);
    this.changed(id);
    return this.get(id);
  }

  get(id: number): Operation {
    const operation = this.select('operations.id = ?', id)[0];
    if (!operation) throw new Error(`c0re.db has no operation ${id}`);
    return operation;
  }

  /** Queued and running ones, oldest first. */
  open(agentId?: number): Operation[] {
    const open = "operations.state IN ('queued', 'running')";
    return agentId === undefined
      ? this.select(`${open} ORDER BY operations.id`)
      : this.select(`${open} AND agent_id = ? ORDER BY operations.id`, agentId);
  }

  /** Newest first; `before` leaves out that one and newer ones. */
  page(limit: number, before?: number): Operation[] {
    return this.select(
      'operations.id < ? ORDER BY operations.id DESC LIMIT ?',
      before ?? Number.MAX_SAFE_INTEGER,
      limit,
    );
  }

  setState(id: number, state: OperationState, error: string | null = null): void {
    const now = this.clock.now();
    this.db
      .prepare(
        `UPDATE operations SET state = @state, error = @error, version = version + 1,
           started_at = CASE WHEN @state = 'running' THEN @now ELSE started_at END,
           ended_at = CASE WHEN @state IN ('done', 'failed', 'cancelled') THEN @now ELSE ended_at END
         WHERE id = @id`,
      )
      .run({ id, state, error, now });
    this.changed(id);
  }

  /** Rows whose newest version was not published, oldest first. */
  unpublished(limit: number): Operation[] {
    return this.select('published_version < version ORDER BY operations.id LIMIT ?', limit);
  }

  markPublished(operations: readonly Operation[]): void {
    const mark = this.db.prepare('UPDATE operations SET published_version = ? WHERE id = ?');
    this.together(() => {
      for (const { id, version } of operations) mark.run(version, id);
    });
  }

  private changed(id: number): void {
    for (const listener of this.listeners) listener(id);
  }

  private select(where: string, ...values: number[]): Operation[] {
    return this.db.prepare(`${SELECT} WHERE ${where}`).all(...values) as Operation[];
  }
}

/** The row as it crosses process borders. */
export function toOperationRow(operation: Operation): OperationRow {
  return {
    version: operation.version,
    id: formatId('o', operation.id),
    kind: operation.kind,
    agent: operation.agent,
    state: operation.state,
    asked_by: operation.asked_by,
    reason: operation.reason,
    asked_at: isoTime(operation.asked_at),
    started_at: timeOrNull(operation.started_at),
    ended_at: timeOrNull(operation.ended_at),
    error: operation.error,
  };
}

function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}
