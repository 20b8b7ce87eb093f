import { Injectable } from '@nestjs/common';

import type { AgentConfig, AgentState, Container, Role } from '#libs/protocol';
import type { Db } from '#libs/store';

import { C0reDatabase } from '../database/c0re.database.js';
import type { Agent, Stage, Wanted } from './agent.entity.js';

/** What may change in a row. */
export type AgentChange = Partial<
  Pick<
    Agent,
    | 'seed'
    | 'folder'
    | 'stage'
    | 'wanted'
    | 'state'
    | 'reason'
    | 'container'
    | 'handle'
    | 'instance'
    | 'endedInstance'
    | 'reportedInstance'
    | 'tokenHash'
    | 'deployedSha'
    | 'destroyedAt'
  >
>;
export type NewAgent = Pick<
  Agent,
  'name' | 'role' | 'config' | 'seed' | 'container' | 'slot' | 'createdAt'
>;
/** Called in order with each change that the broker has to hear of (P26). */
export type RegistryListener = (agent: Agent, revision: number) => void;

const COLUMNS: Record<keyof AgentChange, string> = {
  seed: 'seed',
  folder: 'folder',
  stage: 'stage',
  wanted: 'wanted',
  state: 'state',
  reason: 'reason',
  container: 'container',
  handle: 'handle',
  instance: 'instance',
  endedInstance: 'ended_instance',
  reportedInstance: 'reported_instance',
  tokenHash: 'token_hash',
  deployedSha: 'deployed_sha',
  destroyedAt: 'destroyed_at',
};
/** Changes that the broker's copy shows. */
const IN_REGISTRY: ReadonlySet<keyof AgentChange> = new Set([
  'state',
  'reason',
  'container',
  'instance',
  'tokenHash',
  'deployedSha',
]);
/** Columns that hold JSON. */
const JSON_COLUMNS: ReadonlySet<keyof AgentChange> = new Set(['seed', 'handle']);

interface AgentRow {
  id: number;
  name: string;
  role: string;
  config: string;
  seed: string | null;
  folder: string;
  stage: string;
  wanted: string;
  state: string;
  reason: string;
  container: string | null;
  handle: string | null;
  instance: number;
  ended_instance: number;
  reported_instance: number;
  slot: number;
  token_hash: string | null;
  deployed_sha: string | null;
  created_at: number;
  destroyed_at: number | null;
}

/** The rows of all agents that ever were; owner of the registry and its revision (P26). */
@Injectable()
export class AgentRepository {
  private readonly db: Db;
  private listener: RegistryListener = () => {};

  constructor(database: C0reDatabase) {
    this.db = database.db;
  }

  onRegistryChange(listener: RegistryListener): void {
    this.listener = listener;
  }

  /** Every agent that is not destroyed, oldest first. */
  living(): Agent[] {
    return this.select('destroyed_at IS NULL ORDER BY id');
  }

  find(id: number): Agent | undefined {
    return this.select('id = ?', id)[0];
  }

  /** The row, which must be there: rows are never deleted. */
  get(id: number): Agent {
    const agent = this.find(id);
    if (!agent) throw new Error(`c0re.db has no agent ${id}`);
    return agent;
  }

  byName(name: string): Agent | undefined {
    return this.select('name = ? AND destroyed_at IS NULL', name)[0];
  }

  /** Destroyed agents of that name whose folders still lie under the name. */
  keptUnder(name: string): Agent[] {
    return this.select('name = ? AND folder = ? AND destroyed_at IS NOT NULL', name, name);
  }

  /** Agents whose last harness is gone without the broker knowing. */
  withUnreportedEnd(): Agent[] {
    return this.select('ended_instance > reported_instance AND destroyed_at IS NULL ORDER BY id');
  }

  /** Lowest slot that no row has; slots of destroyed agents still own files. */
  freeSlot(): number {
    return this.db
      .prepare(
        `SELECT 1 + MIN(slot) FROM (SELECT 0 AS slot UNION ALL SELECT slot FROM agents) taken
         WHERE NOT EXISTS (SELECT 1 FROM agents WHERE agents.slot = taken.slot + 1)`,
      )
      .pluck()
      .get() as number;
  }

  insert(agent: NewAgent): Agent {
    const { lastInsertRowid } = this.db
      .prepare(
        `INSERT INTO agents (name, role, config, seed, folder, stage, wanted, state, container, slot, created_at)
         VALUES (@name, @role, @config, @seed, @name, 'new', 'running', 'stopped', @container, @slot, @createdAt)`,
      )
      .run({ ...agent, config: JSON.stringify(agent.config), seed: JSON.stringify(agent.seed) });
    return this.get(Number(lastInsertRowid));
  }

  /** Changes the row on disk, and hands what the broker must know to the listener. */
  change(id: number, change: AgentChange): Agent {
    const keys = Object.keys(change) as (keyof AgentChange)[];
    const values = keys.map((key) =>
      JSON_COLUMNS.has(key) && change[key] !== null ? JSON.stringify(change[key]) : change[key],
    );
    const before = this.get(id);
    const revision = this.db
      .transaction(() => {
        this.db
          .prepare(
            `UPDATE agents SET ${keys.map((key) => `${COLUMNS[key]} = ?`).join(', ')} WHERE id = ?`,
          )
          .run(...values, id);
        const isKnown = this.get(id).tokenHash !== null;
        const isShown = keys.some((key) => IN_REGISTRY.has(key) && before[key] !== change[key]);
        return isKnown && isShown ? this.nextRevision() : null;
      })
      .immediate();
    const agent = this.get(id);
    if (revision !== null) this.listener(agent, revision);
    return agent;
  }

  /** Number of the newest change of the registry. */
  revision(): number {
    return Number(
      this.db.prepare("SELECT value FROM meta WHERE key = 'registry_revision'").pluck().get(),
    );
  }

  private nextRevision(): number {
    const revision = this.revision() + 1;
    this.db
      .prepare("UPDATE meta SET value = ? WHERE key = 'registry_revision'")
      .run(String(revision));
    return revision;
  }

  private select(where: string, ...values: (string | number)[]): Agent[] {
    const rows = this.db.prepare(`SELECT * FROM agents WHERE ${where}`).all(...values);
    return (rows as AgentRow[]).map(toAgent);
  }
}

function toAgent(row: AgentRow): Agent {
  return {
    id: row.id,
    name: row.name,
    role: row.role as Role,
    config: JSON.parse(row.config) as AgentConfig,
    seed: row.seed === null ? null : (JSON.parse(row.seed) as Record<string, string>),
    folder: row.folder,
    stage: row.stage as Stage,
    wanted: row.wanted as Wanted,
    state: row.state as AgentState,
    reason: row.reason,
    container: row.container as Container | null,
    handle: row.handle === null ? null : JSON.parse(row.handle),
    instance: row.instance,
    endedInstance: row.ended_instance,
    reportedInstance: row.reported_instance,
    slot: row.slot,
    tokenHash: row.token_hash,
    deployedSha: row.deployed_sha,
    createdAt: row.created_at,
    destroyedAt: row.destroyed_at,
  };
}
