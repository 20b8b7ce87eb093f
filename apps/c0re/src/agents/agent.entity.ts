import type {
  AgentConfig,
  AgentRecord,
  AgentState,
  Container,
  RegistryAgent,
  Role,
  TombstoneRow,
} from '#libs/protocol';
import { isoTime } from '#libs/protocol';

/**
 * How far the making of an agent got: `new` nothing on disk yet, `claimed` its folders are its own and may be half made,
 * `provisioned` complete.
 */
export type Stage = 'new' | 'claimed' | 'provisioned';
/** What the operator asked for last. */
export type Wanted = 'running' | 'stopped' | 'destroyed';

/** A row of the registry (P26). One row is one incarnation (P25). */
export interface Agent {
  id: number;
  name: string;
  role: Role;
  config: AgentConfig;
  /** Files of the first commit by path; null once they are committed. */
  seed: Record<string, string> | null;
  /** Commit that it begins with, when its applied repository holds it already. */
  pinnedSha: string | null;
  /** Name of its folders below agents/ and applied/. */
  folder: string;
  stage: Stage;
  wanted: Wanted;
  state: AgentState;
  reason: string;
  /** Null for `external`: no container. */
  container: Container | null;
  /** What its driver needs to find the running container again. */
  handle: unknown;
  /** Number of the last harness that was started; only rises (P4). */
  instance: number;
  /** Highest instance that is known to be gone, and the highest the broker was told of. */
  endedInstance: number;
  reportedInstance: number;
  /** Place of its user ids in the hive's block. */
  slot: number;
  /** sha-256 of its token; null until it has one. */
  tokenHash: string | null;
  deployedSha: string | null;
  createdAt: number;
  destroyedAt: number | null;
  /** When the last that was kept of it was removed. */
  purgedAt: number | null;
  /** Version of its tombstone's row; 0: it never had one. */
  tombstoneVersion: number;
}

/** What c0re tells the operator of an agent. */
export function toRecord(agent: Agent, pid: number | null): AgentRecord {
  return {
    agent_id: String(agent.id),
    name: agent.name,
    role: agent.role,
    driver: agent.config.driver,
    model: agent.config.model,
    container: agent.container,
    state: agent.state,
    reason: agent.reason,
    instance: agent.instance,
    deployed_sha: agent.deployedSha,
    created_at: isoTime(agent.createdAt),
    pid,
    config: agent.config,
  };
}

/** What the broker is told of an agent that has a token. */
export function toRegistry(agent: Agent, tokenHash: string, runDir: string): RegistryAgent {
  return {
    agent_id: String(agent.id),
    name: agent.name,
    role: agent.role,
    driver: agent.config.driver,
    model: agent.config.model,
    container: agent.container,
    token_hash: tokenHash,
    state: agent.state,
    reason: agent.reason,
    instance: agent.instance,
    allowed_recipients: agent.config.allowed_recipients,
    quiet_window_ms: agent.config.quiet_window_ms,
    inbox_limit: agent.config.limits.inbox,
    sends_per_minute: agent.config.limits.sends_per_minute,
    send_burst: agent.config.limits.send_burst,
    reminders_pending: agent.config.limits.reminders_pending,
    reminders_per_hour: agent.config.limits.reminders_per_hour,
    reminder_burst: agent.config.limits.reminder_burst,
    run_dir: runDir,
    deployed_sha: agent.deployedSha,
  };
}

/** The tombstone of a destroyed agent that was not purged; undefined when it lives or nothing is kept of it. */
export function toTombstone(agent: Agent): TombstoneRow | undefined {
  if (agent.destroyedAt === null || agent.purgedAt !== null) return undefined;
  return {
    version: agent.tombstoneVersion,
    agent_id: String(agent.id),
    name: agent.name,
    role: agent.role,
    driver: agent.config.driver,
    container: agent.container,
    deployed_sha: agent.deployedSha,
    created_at: isoTime(agent.createdAt),
    destroyed_at: isoTime(agent.destroyedAt),
  };
}
