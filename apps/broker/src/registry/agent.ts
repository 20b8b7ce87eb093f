import type { Driver, RegistryAgent, TurnState } from '#libs/protocol';

/** Recipient and sender number of the operator. */
export const OPERATOR_ID = 0;
/** Sender number of the hive itself; it receives nothing. */
export const SYSTEM_ID = -1;

/** The columns that are c0re's. */
export type RegistryColumns = Omit<RegistryAgent, 'agent_id'>;

/** An agent as the broker knows it: c0re's entry, and the broker's own state of it. Field names are the columns'. */
export interface Agent extends RegistryColumns {
  /** Incarnation (P25). */
  readonly id: number;

  status_text: string;
  turn_state: TurnState;
  hello_instance: number;
  ended_instance: number;
  live_driver: Driver | null;
  live_model: string | null;
  hyperhive_rev: string | null;
  harness_started_at: string | null;
  urgent_row: number;
  continuations: number;
  wake_through: number;
  parked_until: number;
  park_streak: number;
}

/** The columns that are the broker's own. */
export type RuntimeColumns = Omit<Agent, 'id' | keyof RegistryColumns>;

/** Each column of c0re's once, so that none is forgotten. */
const COLUMNS: Record<keyof RegistryColumns, true> = {
  name: true,
  role: true,
  driver: true,
  model: true,
  container: true,
  token_hash: true,
  state: true,
  reason: true,
  instance: true,
  allowed_recipients: true,
  quiet_window_ms: true,
  inbox_limit: true,
  sends_per_minute: true,
  send_burst: true,
  reminders_pending: true,
  reminders_per_hour: true,
  reminder_burst: true,
  run_dir: true,
  deployed_sha: true,
};
export const REGISTRY_COLUMNS = Object.keys(COLUMNS) as (keyof RegistryColumns)[];

/** The entry as c0re pushed it. */
export function toRegistryAgent(agent: Agent): RegistryAgent {
  const columns = Object.fromEntries(REGISTRY_COLUMNS.map((column) => [column, agent[column]]));
  return { agent_id: String(agent.id), ...(columns as unknown as RegistryColumns) };
}
