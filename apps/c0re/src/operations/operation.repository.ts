import { Inject, Injectable } from '@nestjs/common';

import { formatId, isoTime, type OperationRow, type OperationState } from '#libs/protocol';
import type { Clock } from '#libs/service';
import type { Db } from '#libs/store';

import { C0reDatabase } from '../database/c0re.database.js';
import { CLOCK } from '../settings/tokens.js';

/** The verbs of PRODUCT 4.1 that are operations. */
export type AgentOperationKind =
  | 'spawn'
  | 'start'
  | 'stop'
  | 'restart'
  | 'rebuild'
  | 'deploy'
  | 'destroy'
  | 'revive'
  | 'purge';
/** Those of the whole hive; their steps are operations of agents. */
export type HiveOperationKind = 'restart_all' | 'update_all';
export type OperationKind = AgentOperationKind | HiveOperationKind;

/** Whether nothing more happens to it. */
export function isOver({ state }: Pick<Operation, 'state'>): boolean {
  return state !== 'queued' && state !== 'running';
}

export interface Operation {
  id: number;
  kind: OperationKind;
  /** Null, as the name, when it is about the whole hive. */
  agent_id: number | null;
  agent: string | null;
  /** The operation that it is a step of. */
  parent: number | null;
  /** The agent's instance when it began; null before that. */
  from_instance: number | null;
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
  'SELECT operations.*, agents.name AS agent FROM operations LEFT JOIN agents ON agents.id = operations.agent_id';

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

  insert(
    asked: Pick<Operation, 'kind' | 'agent_id' | 'asked_by' | 'reason'>,
    parent: number | null = null,
  ): Operation {
    const { lastInsertRowid } = this.db
      .prepare(
        `INSERT INTO operations (kind, agent_id, parent, state, asked_by, reason, asked_at)
         VALUES (@kind, @agent_id, @parent, 'queued', @asked_by, @reason, @asked_at)`,
      )
      .run({ ...asked, parent, asked_at: this.clock.now() });
    const id = Number(lastInsertRowid);
    this.changed(id);
    return this.get(id);
  }

  get(id: number): Operation {
    const operation = this.select('operations.id = ?', id)[0];
    if (!operation) throw new Error(`c0re.db has no operation ${id}`);
    return operation;
  }

  find(id: number): Operation | undefined {
    return this.select('operations.id = ?', id)[0];
  }

  /** Queued and running ones, oldest first. */
  open(agentId?: number): Operation[] {
    const open = "operations.state IN ('queued', 'running')";
    return agentId === undefined
      ? this.select(`${open} ORDER BY operations.id`)
      : this.select(`${open} AND agent_id = ? ORDER BY operations.id`, agentId);
  }

  /** Open ones of the whole hive, oldest first. */
  openOfHive(): Operation[] {
    return this.open().filter((operation) => operation.agent_id === null);
  }

  /** Its steps, in the order in which they were recorded. */
  steps(parent: number): Operation[] {
    return this.select('operations.parent = ? ORDER BY operations.id', parent);
  }

  /** Notes from which instance of the agent it sets out; what stands there already stays. */
  begin(id: number, instance: number): number {
    this.db
      .prepare('UPDATE operations SET from_instance = coalesce(from_instance, ?) WHERE id = ?')
      .run(instance, id);
    return this.get(id).from_instance ?? instance;
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
    parent: operation.parent === null ? null : formatId('o', operation.parent),
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
