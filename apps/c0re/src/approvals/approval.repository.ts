import { Inject, Injectable } from '@nestjs/common';

import type { AgentConfig, ApprovalKind, ApprovalState, Container } from '#libs/protocol';
import type { Clock } from '#libs/service';
import type { Db } from '#libs/store';

import { C0reDatabase } from '../database/c0re.database.js';
import { CLOCK } from '../settings/tokens.js';

/** What was deployed when a deploy began to change the agent. */
export interface Previous {
  sha: string;
  config: AgentConfig;
  container: Container | null;
}

export interface Approval {
  id: number;
  kind: ApprovalKind;
  state: ApprovalState;
  agent: string | null;
  agentId: number | null;
  commitRef: string | null;
  sha: string | null;
  inputs: string[];
  description: string;
  requestedBy: string;
  requestId: string | null;
  requestedAt: number;
  decidedBy: string | null;
  decidedAt: number | null;
  reason: string | null;
  operationId: number | null;
  previous: Previous | null;
  error: string | null;
  resolvedAt: number | null;
  version: number;
}

export type NewApproval = Pick<
  Approval,
  | 'kind'
  | 'agent'
  | 'agentId'
  | 'commitRef'
  | 'sha'
  | 'inputs'
  | 'description'
  | 'requestedBy'
  | 'requestId'
>;
export type ApprovalChange = Partial<
  Pick<
    Approval,
    | 'state'
    | 'agentId'
    | 'decidedBy'
    | 'decidedAt'
    | 'reason'
    | 'operationId'
    | 'previous'
    | 'error'
    | 'resolvedAt'
  >
>;
/** Which approvals a page holds. */
export interface ApprovalFilter {
  state?: ApprovalState;
  agent?: string;
  before?: number;
}

const COLUMNS: Record<keyof ApprovalChange, string> = {
  state: 'state',
  agentId: 'agent_id',
  decidedBy: 'decided_by',
  decidedAt: 'decided_at',
  reason: 'reason',
  operationId: 'operation_id',
  previous: 'previous',
  error: 'error',
  resolvedAt: 'resolved_at',
};
const SELECT = `SELECT id, kind, state, agent, agent_id AS agentId, commit_ref AS commitRef, sha, inputs, description,
  requested_by AS requestedBy, request_id AS requestId, requested_at AS requestedAt, decided_by AS decidedBy,
  decided_at AS decidedAt, reason, operation_id AS operationId, previous, error, resolved_at AS resolvedAt, version
  FROM approvals`;

type Row = Omit<Approval, 'inputs' | 'previous'> & { inputs: string; previous: string | null };

/** The rows of approvals (PRODUCT 4.6): what is asked for, who decided, what came of it. */
@Injectable()
export class ApprovalRepository {
  private readonly db: Db;
  private listener = () => {};

  constructor(
    database: C0reDatabase,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.db = database.db;
  }

  /** Calls the listener after each change. */
  onChange(listener: () => void): void {
    this.listener = listener;
  }

  /** Runs `work` as one transaction. */
  together<T>(work: () => T): T {
    return this.db.transaction(work).immediate();
  }

  insert(approval: NewApproval): Approval {
    const { lastInsertRowid } = this.db
      .prepare(
        `INSERT INTO approvals (kind, state, agent, agent_id, commit_ref, sha, inputs, description, requested_by,
           request_id, requested_at)
         VALUES (@kind, 'pending', @agent, @agentId, @commitRef, @sha, @inputs, @description, @requestedBy,
           @requestId, @requestedAt)`,
      )
      .run({
        ...approval,
        inputs: JSON.stringify(approval.inputs),
        requestedAt: this.clock.now(),
      });
    this.listener();
    return this.get(Number(lastInsertRowid));
  }

  change(id: number, change: ApprovalChange): Approval {
    const keys = Object.keys(change) as (keyof ApprovalChange)[];
    const values = keys.map((key) =>
      key === 'previous' ? JSON.stringify(change.previous) : change[key],
    );
    this.db
      .prepare(
        `UPDATE approvals SET version = version + 1, ${keys.map((key) => `${COLUMNS[key]} = ?`).join(', ')}
         WHERE id = ?`,
      )
      .run(...values, id);
    this.listener();
    return this.get(id);
  }

  find(id: number): Approval | undefined {
    return this.select('id = ?', id)[0];
  }

  get(id: number): Approval {
    const approval = this.find(id);
    if (!approval) throw new Error(`c0re.db has no approval ${id}`);
    return approval;
  }

  ofRequest(requestId: string): Approval | undefined {
    return this.select('request_id = ?', requestId)[0];
  }

  ofOperation(operationId: number): Approval | undefined {
    return this.select('operation_id = ?', operationId)[0];
  }

  /** Not deployed, denied or failed; oldest first. */
  open(): Approval[] {
    return this.select('resolved_at IS NULL ORDER BY id');
  }

  pending(): Approval[] {
    return this.open().filter(({ state }) => state === 'pending');
  }

  /** The deploy that was changing the agent when c0re ended, or that changes it now. */
  switching(agentId: number): Approval | undefined {
    return this.open().find(
      (approval) => approval.agentId === agentId && approval.previous !== null,
    );
  }

  /** All of an agent's name, newest first. */
  ofAgent(agent: string, limit: number): Approval[] {
    return this.select('agent = ? ORDER BY id DESC LIMIT ?', agent, limit);
  }

  /** Newest first. */
  page(limit: number, { state, agent, before }: ApprovalFilter): Approval[] {
    const where = ['id < ?'];
    const values: (string | number)[] = [before ?? Number.MAX_SAFE_INTEGER];
    if (state !== undefined) {
      where.push('state = ?');
      values.push(state);
    }
    if (agent !== undefined) {
      where.push('agent = ?');
      values.push(agent);
    }
    return this.select(`${where.join(' AND ')} ORDER BY id DESC LIMIT ?`, ...values, limit);
  }

  /** Rows whose newest version was not published, oldest first. */
  unpublished(limit: number): Approval[] {
    return this.select('published_version < version ORDER BY id LIMIT ?', limit);
  }

  markPublished(approvals: readonly Approval[]): void {
    const mark = this.db.prepare('UPDATE approvals SET published_version = ? WHERE id = ?');
    this.together(() => {
      for (const { id, version } of approvals) mark.run(version, id);
    });
  }

  isPrepared(name: string): boolean {
    return this.db.prepare('SELECT 1 FROM prepared_configs WHERE name = ?').pluck().get(name) === 1;
  }

  prepared(): string[] {
    return this.db.prepare('SELECT name FROM prepared_configs').pluck().all() as string[];
  }

  setPrepared(name: string): void {
    this.db
      .prepare('INSERT OR IGNORE INTO prepared_configs (name, prepared_at) VALUES (?, ?)')
      .run(name, this.clock.now());
  }

  forgetPrepared(name: string): void {
    this.db.prepare('DELETE FROM prepared_configs WHERE name = ?').run(name);
  }

  private select(where: string, ...values: (string | number)[]): Approval[] {
    const rows = this.db.prepare(`${SELECT} WHERE ${where}`).all(...values) as Row[];
    return rows.map((row) =>
      Object.assign(row, {
        inputs: JSON.parse(row.inputs) as string[],
        previous: row.previous === null ? null : (JSON.parse(row.previous) as Previous),
      }),
    );
  }
}
