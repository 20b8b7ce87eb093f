import type {
  AgentState,
  Container,
  DeliveryState,
  Driver,
  MessageKind,
  OperationState,
  Priority,
  ResultKind,
  Role,
  SenderKind,
  TurnState,
  WaitReason,
  WakeReason,
} from './values.js';

/**
 * The rows that cross process borders. Fields are snake_case, ids strings, times ISO 8601 in UTC.
 * `version` grows with each change of the row; of two versions of a row the higher wins (P38).
 */

/** A message as one recipient sees it (INTERFACES "MCP gateway"). */
export interface Message {
  id: string;
  thread_id: string;
  in_reply_to?: string;
  from: string;
  /** What stands behind `from`, attested by the broker; the prompt shows it. */
  from_kind: SenderKind;
  to: string;
  body: string;
  sent_at: string;
  age_seconds: number;
  priority: Priority;
  broadcast: boolean;
  /** True when this delivery was ever handed out before (P5). */
  redelivered: boolean;
  /** 1 for the first try; grows only by turns that failed on their own account (P13). */
  attempt: number;
  hop: number;
  kind: MessageKind;
  event?: string;
  /** Set when it was sent in a turn whose wake was redelivered: it may repeat an earlier message (EXECUTIONS H14). */
  may_repeat?: boolean;
}

/** The life of one delivery, for its sender and the operator (PRODUCT 1.12). */
export interface Delivery {
  to: string;
  state: DeliveryState;
  /** When the state was entered. */
  since: string;
  attempt: number;
  hand_outs: number;
  waits_for?: WaitReason;
  /** Why a dead or cancelled one ended. */
  reason?: string;
}

/** A message with the state of its deliveries, as the operator (or its sender) sees it. */
export interface MessageRow extends Omit<Message, 'redelivered' | 'attempt' | 'age_seconds'> {
  version: number;
  deliveries: Delivery[];
}

/** An agent as the dashboard shows it (INTERFACES: the fields of `/api/state`). */
export interface AgentRow {
  version: number;
  agent_id: string;
  name: string;
  role: Role;
  driver: Driver;
  model: string | null;
  container: Container | null;
  state: AgentState;
  turn_state: TurnState;
  /** Id of the live turn, with its start and what it works on. */
  turn?: { turn_id: string; started_at: string; wake_from: string; wake_reason: WakeReason };
  status_text: string;
  /** Deliveries that wait for the agent (queued, any priority). */
  unread: number;
  reminders: { pending: number; delivered_24h: number; failed: number };
  context_tokens: number | null;
  cost_today_usd: number;
  deployed_sha: string | null;
  needs_login: boolean;
  needs_update: boolean;
  /** Seconds-fresh sign of life of the harness; null when none is connected. */
  harness_seen_at: string | null;
  /** Why the agent is held or crashed, in words; empty when it is not. */
  reason: string;
}

/** One turn's telemetry (PRODUCT 6.1, PROTOCOL "Values"). Token counts are of this turn only. */
export interface TurnRow {
  version: number;
  turn_id: string;
  agent: string;
  started_at: string;
  ended_at: string | null;
  duration_ms: number | null;
  model: string | null;
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens: number;
  cache_creation_input_tokens: number;
  /** Size of the last request's prompt: what fills the context window. */
  context_tokens: number | null;
  tool_call_count: number;
  tool_call_breakdown: Record<string, number>;
  bytes_streamed: number;
  wake_reason: WakeReason;
  wake_from: string;
  thread_id: string | null;
  result_kind: ResultKind | null;
  cost_usd: number | null;
  attempt: number;
  note: string;
}

/** What one live event of a turn can be. */
export const TURN_EVENT_KINDS = [
  'prompt',
  'text',
  'thinking',
  'tool_use',
  'tool_result',
  'note',
  'stderr',
  'raw',
] as const;
export type TurnEventKind = (typeof TURN_EVENT_KINDS)[number];

/** One live event of a turn as the harness reports it; `n` counts up from 0 within the turn. */
export interface TurnEvent {
  n: number;
  at: string;
  kind: TurnEventKind;
  /** The text shown: assistant text, tool result, note. */
  text?: string;
  /** tool_use and tool_result: the tool's name, its call id and input. */
  tool?: string;
  tool_use_id?: string;
  input?: unknown;
  is_error?: boolean;
}

/** An operation of c0re on an agent (PRODUCT 4.1). */
export interface OperationRow {
  version: number;
  id: string;
  kind: string;
  agent: string | null;
  state: OperationState;
  asked_by: string;
  reason: string;
  asked_at: string;
  started_at: string | null;
  ended_at: string | null;
  error: string | null;
}
