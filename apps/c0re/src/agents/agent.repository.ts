import { Injectable } from '@nestjs/common';

import type { AgentConfig, AgentState, Container, Role } from '#libs/protocol';
import type { Db } from '#libs/store';

import { C0reDatabase } from '../database/c0re.database.js';
import type { Agent, Stage, Wanted } from './agent.entity.js';

/** What may change in a row. */
export type AgentChange = Partial<
  Pick<
    Agent,
    | 'config'
    | 'container'
    | 'seed'
    | 'pinnedSha'
    | 'folder'
    | 'stage'
    | 'wanted'
    | 'state'
    | 'reason'
    | 'handle'
    | 'instance'
    | 'endedInstance'
    | 'reportedInstance'
    | 'tokenHash'
    | 'deployedSha'
    | 'destroyedAt'
    | 'purgedAt'
  >
>;
export type NewAgent = Pick<
  Agent,
  'name' | 'role' | 'config' | 'seed' | 'pinnedSha' | 'container' | 'slot' | 'createdAt'
>;
/** Called in order with each change that the broker has to hear of (P26). */
export type RegistryListener = (agent: Agent, revision: number) => void;

const COLUMNS: Record<keyof AgentChange, string> = {
  config: 'config',
  container: 'container',
  seed: 'seed',
  pinnedSha: 'pinned_sha',
  folder: 'folder',
  stage: 'stage',
  wanted: 'wanted',
  state: 'state',
  reason: 'reason',
  handle: 'handle',
  instance: 'instance',
  endedInstance: 'ended_instance',
  reportedInstance: 'reported_instance',
  tokenHash: 'token_hash',
  deployedSha: 'deployed_sha',
  destroyedAt: 'destroyed_at',
  purgedAt: 'purged_at',
};
/** Changes that the broker's copy shows. */
const IN_REGISTRY: ReadonlySet<keyof AgentChange> = new Set([
  'config',
  'container',
  'state',
  'reason',
  'container',
  'instance',
  'tokenHash',
  'deployedSha',
]);
/** Columns that hold JSON. */
const JSON_COLUMNS: ReadonlySet<keyof AgentChange> = new Set(['config', 'seed', 'handle']);

interface AgentRow {
  id: number;
  name: string;
  role: string;
  config: string;
  seed: string | null;
  pinned_sha: string | null;
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
  purged_at: number | null;
  tombstone_version: number;
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
    return this.select(
      'name = ? AND folder = ? AND destroyed_at IS NOT NULL AND purged_at IS NULL',
      name,
      name,
    );
  }

  /** Destroyed agents of which something is kept, the last destroyed first; with a name only those of that name. */
  tombstones(name?: string): Agent[] {
    const kept = 'destroyed_at IS NOT NULL AND purged_at IS NULL';
    const order = 'ORDER BY destroyed_at DESC, id DESC';
    return name === undefined
      ? this.select(`${kept} ${order}`)
      : this.select(`${kept} AND name = ? ${order}`, name);
  }

  /** Purged agents of which the broker does not know that. */
  withUnreportedPurge(): Agent[] {
    return this.select('purged_at IS NOT NULL AND purge_reported = 0 ORDER BY id');
  }

  markPurgeReported(id: number): void {
    this.db.prepare('UPDATE agents SET purge_reported = 1 WHERE id = ?').run(id);
  }

  /** Agents that became a tombstone, or are one no more, without that having been published. */
  withUnpublishedTombstone(limit: number): Agent[] {
    return this.select('tombstone_published < tombstone_version ORDER BY id LIMIT ?', limit);
  }

  markTombstonesPublished(agents: readonly Agent[]): void {
    const mark = this.db.prepare('UPDATE agents SET tombstone_published = ? WHERE id = ?');
    this.db
      .transaction(() => {
        for (const { id, tombstoneVersion } of agents) mark.run(tombstoneVersion, id);
      })
      .immediate();
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
        `INSERT INTO agents (name, role, config, seed, pinned_sha, folder, stage, wanted, state, container, slot, created_at)
         VALUES (@name, @role, @config, @seed, @pinnedSha, @name, 'new', 'running', 'stopped', @container, @slot, @createdAt)`,
      )
      .run({
        ...agent,
        config: JSON.stringify(agent.config),
        seed: agent.seed === null ? null : JSON.stringify(agent.seed),
      });
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
        if ('destroyedAt' in change || 'purgedAt' in change) {
          this.db
            .prepare('UPDATE agents SET tombstone_version = tombstone_version + 1 WHERE id = ?')
            .run(id);
        }
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
    pinnedSha: row.pinned_sha,
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
    purgedAt: row.purged_at,
    tombstoneVersion: row.tombstone_version,
  };
}
