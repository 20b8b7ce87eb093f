import type { AgentState, Container, Driver, RegistryAgent, Role, TurnState } from '#libs/protocol';

/** Recipient and sender number of the operator. */
export const OPERATOR_ID = 0;
/** Sender number of the hive itself; it receives nothing. */
export const SYSTEM_ID = -1;

/** An agent as the broker knows it: c0re's entry, and the broker's own state of it. Field names are the columns'. */
export interface Agent {
  /** Incarnation (P25). */
  readonly id: number;
  name: string;
  role: Role;
  driver: Driver;
  model: string | null;
  container: Container | null;
  token_hash: string;
  state: AgentState;
  reason: string;
  instance: number;
  allowed_recipients: string[];
  quiet_window_ms: number;
  inbox_limit: number;
  sends_per_minute: number;
  send_burst: number;
  reminders_pending: number;
  reminders_per_hour: number;
  reminder_burst: number;
  run_dir: string;
  deployed_sha: string | null;

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

/** The columns that are c0re's. */
export type RegistryColumns = Pick<Agent, keyof Omit<RegistryAgent, 'agent_id'>>;
/** The columns that are the broker's own. */
export type RuntimeColumns = Omit<Agent, 'id' | keyof RegistryColumns>;

/** The entry as c0re pushed it. */
export function toRegistryAgent(agent: Agent): RegistryAgent {
  return {
    agent_id: String(agent.id),
    name: agent.name,
    role: agent.role,
    driver: agent.driver,
    model: agent.model,
    container: agent.container,
    token_hash: agent.token_hash,
    state: agent.state,
    reason: agent.reason,
    instance: agent.instance,
    allowed_recipients: agent.allowed_recipients,
    quiet_window_ms: agent.quiet_window_ms,
    inbox_limit: agent.inbox_limit,
    sends_per_minute: agent.sends_per_minute,
    send_burst: agent.send_burst,
    reminders_pending: agent.reminders_pending,
    reminders_per_hour: agent.reminders_per_hour,
    reminder_burst: agent.reminder_burst,
    run_dir: agent.run_dir,
    deployed_sha: agent.deployed_sha,
  };
}
