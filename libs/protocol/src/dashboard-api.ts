import type { AgentStats } from './broker-api.js';
import type { C0reAnswers, SelfCheck } from './c0re-api.js';
import type {
  AgentRow,
  DeliveryRow,
  MessageRow,
  OperationRow,
  QuestionRow,
  ReminderRow,
  TombstoneRow,
  TurnEvent,
  TurnRow,
} from './rows.js';
import type { Priority } from './values.js';

/**
 * Dashboard HTTP (INTERFACES): what the page, the `hive` command and scripts get from `/api`. `StateSnapshot` is the
 * answer of `GET /api/state`; `HiveEvent` and `ResyncFrame` are the frames of the WebSocket `/events`.
 */

/** An agent with what only c0re knows of it: `GET /api/agents/:name`. */
export interface AgentDetail extends AgentRow {
  /** Number of its newest harness; counts upwards. */
  instance: number;
  /** Process id of the harness while it runs. */
  pid: number | null;
  created_at: string;
}

/** Frame that tells a client to fetch `/api/state` again; what happens from then on follows on the same socket. */
export interface ResyncFrame {
  kind: 'resync';
}

/** Body of `POST /api/messages`. */
export interface NewMessage {
  to: string | string[];
  body: string;
  in_reply_to?: string;
  priority?: Priority;
  idempotency_key?: string;
}

/** Answers by name; the OpenAPI document says which route gives which. */
export interface DashboardAnswers {
  agent: { agent: AgentDetail };
  /** Of `cancel-turn`, `compact`, `new-session` and `model`: the id of the command for the harness. */
  command: { id: string };
  approval: C0reAnswers['approval'];
  approvals: C0reAnswers['approvals'];
  approval_detail: C0reAnswers['approval_detail'];
  audit: C0reAnswers['audit'];
  config: C0reAnswers['config_history'];
  config_diff: C0reAnswers['config_diff'];
  config_file: C0reAnswers['config_file'];
  meta_inputs: C0reAnswers['meta_inputs'];
  deliveries: { deliveries: DeliveryRow[]; next?: string };
  events: { events: { turn_id: string; event: TurnEvent }[] };
  journal: { agent: string; lines: string[] };
  login_link: { url: string; expires_at: string };
  message: { message: MessageRow };
  messages: { messages: MessageRow[]; next?: string };
  /** Of `POST /api/agents` and of start, stop, restart and destroy, with status 202. */
  operation: { operation: OperationRow };
  operations: { operations: OperationRow[]; next?: string };
  question: { question: QuestionRow };
  questions: { questions: QuestionRow[]; next?: string };
  doctor: {
    container_driver: string;
    broker_in_step: boolean;
    protections_off: string[];
  } & SelfCheck;
  tombstones: { tombstones: TombstoneRow[] };
  released: { agent: AgentRow };
  reminder: { reminder: ReminderRow };
  reminders: { reminders: ReminderRow[]; next?: string };
  stats: AgentStats;
  turns: { turns: TurnRow[]; next?: string };
  ws_ticket: { ticket: string; expires_at: string };
}
