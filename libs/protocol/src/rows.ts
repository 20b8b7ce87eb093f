import type {
  AgentState,
  ApprovalKind,
  ApprovalState,
  Container,
  DeliveryState,
  Driver,
  MessageKind,
  OperationState,
  Priority,
  QuestionState,
  ReminderState,
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
  /** Set on what belongs to a question: `question_asked`, `question_answered`, `question_cancelled`. */
  question?: QuestionNote;
  /** Set on a reminder that came due. */
  reminder?: ReminderNote;
}

/** What a message about a question carries beside its body (the question, or its answer). */
export interface QuestionNote {
  id: string;
  state: QuestionState;
  asker: string;
  /** Null: the operator. */
  target: string | null;
  /** On an outcome: what was asked, cut to 500 characters. */
  question?: string;
  options?: string[];
  multi?: boolean;
  deadline_at?: string;
}

/** What a due reminder carries beside its body. */
export interface ReminderNote {
  id: string;
  occurrence: number;
  due_at: string;
  /** Whole seconds between due time and delivery. */
  late_seconds: number;
  /** Earlier occurrences that passed while the hive was away and are not delivered (PRODUCT 3.4). */
  missed: number;
  /**
   * Set when the body belongs into a file (P23): path relative to the agent's state folder. The harness writes the body
   * there before the turn starts and shows the path instead.
   */
  file_path?: string;
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
  /** At most LIMITS.deliveries_shown: dead ones first, then those under way. */
  deliveries: Delivery[];
  /** How many deliveries are in each state; set when they are not all in `deliveries`. */
  delivery_counts?: Partial<Record<DeliveryState, number>>;
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
  /** The reminder that it goes back to: of what woke it, or of the turn that sent what woke it; null: none. */
  reminder_id: string | null;
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

/** A question as the dashboard shows it (PRODUCT 2). */
export interface QuestionRow {
  version: number;
  id: string;
  asker: string;
  /** Null: the operator. */
  target: string | null;
  question: string;
  options: string[];
  multi: boolean;
  state: QuestionState;
  asked_at: string;
  deadline_at: string | null;
  /** Selections and free text, joined by ", "; null until answered. */
  answer: string | null;
  answered_by: string | null;
  resolved_at: string | null;
}

/** A reminder as the dashboard shows it (PRODUCT 3). */
export interface ReminderRow {
  version: number;
  id: string;
  owner: string;
  message: string;
  /** The next (or only) due time. */
  due_at: string;
  /** Cron expression or ISO-8601 duration; null: once. */
  every: string | null;
  every_tz: string | null;
  state: ReminderState;
  /** Number of the next occurrence, from 1. */
  occurrence: number;
  attempt_count: number;
  last_error: string | null;
  last_attempt_at: string | null;
  created_at: string;
  file_path: string | null;
}

/** A delivery with its message, for lists of dead ones (PRODUCT 1.2). */
export interface DeliveryRow extends Delivery {
  version: number;
  /** See formatDeliveryId. */
  id: string;
  message: MessageRow;
}

/** One thing that is pending, with its age (PRODUCT 2.4, PROTOCOL "Values"). */
export type OpenThread =
  | {
      kind: 'question';
      id: string;
      asker: string;
      target: string | null;
      question: string;
      options: string[];
      multi: boolean;
      deadline_at?: string;
      age_seconds: number;
    }
  | {
      kind: 'reminder';
      id: string;
      owner: string;
      message: string;
      due_at: string;
      age_seconds: number;
    }
  | {
      kind: 'message';
      id: string;
      from: string;
      to: string;
      state: DeliveryState;
      thread_id: string;
      /** The beginning of its body. */
      body: string;
      age_seconds: number;
    }
  | {
      kind: 'approval';
      id: string;
      agent: string;
      commit_ref: string;
      description: string;
      age_seconds: number;
    };

/** What waits for the operator (PRODUCT 7.2), as far as the broker knows it. */
export const NEEDS_YOU_KINDS = [
  'question',
  'dead_delivery',
  'reminder_failed',
  'hop_limit',
  'held_cancelled',
  'approval',
] as const;
export type NeedsYouKind = (typeof NEEDS_YOU_KINDS)[number];

export interface NeedsYou {
  kind: NeedsYouKind;
  /** Unique within the list; stays the same while it is pending. */
  key: string;
  /** Id of the question, delivery or reminder; of the agent's name for what concerns an agent. */
  id: string;
  agent: string;
  /** One line: what waits. */
  title: string;
  since: string;
  /** How many are behind it. */
  count: number;
}

/** An operation of c0re on an agent (PRODUCT 4.1). */
export interface OperationRow {
  version: number;
  id: string;
  kind: string;
  /** Null when it is about the whole hive. */
  agent: string | null;
  /** The operation that it is a step of; null: it was asked for by itself. */
  parent: string | null;
  state: OperationState;
  asked_by: string;
  reason: string;
  asked_at: string;
  started_at: string | null;
  ended_at: string | null;
  error: string | null;
}

/** Trees that an approval can be compared with; `none` is the empty tree. */
export const DIFF_BASES = ['running', 'approved', 'queued', 'none'] as const;
export type DiffBase = (typeof DIFF_BASES)[number];

/** Something that only the operator decides, and what became of it (PRODUCT 4.4, 4.6). */
export interface ApprovalRow {
  version: number;
  /** Its tags are `proposal/<id>`, `approved/<id>`, `building/<id>`, `deployed/<id>`, `failed/<id>`, `denied/<id>`. */
  id: string;
  kind: ApprovalKind;
  state: ApprovalState;
  /** The agent's name; null for `update_meta_inputs`. */
  agent: string | null;
  /** The commit as it was asked for (7 to 40 hexadecimal digits); null where no commit belongs to it. */
  commit_ref: string | null;
  /** The whole commit as it was pinned when it was asked for; the operator approves this and nothing else. */
  sha: string | null;
  /** `update_meta_inputs`: names of the inputs; empty: all. */
  inputs: string[];
  description: string;
  requested_by: string;
  requested_at: string;
  /** What the pinned tree can be compared with now; null where there is no such tree. */
  bases: Record<Exclude<DiffBase, 'none'>, string | null>;
  decided_by: string | null;
  decided_at: string | null;
  /** Why it was denied. */
  reason: string | null;
  /** Why it failed. */
  error: string | null;
  /** When it was deployed, denied or failed. */
  resolved_at: string | null;
}

/** One commit of an agent's config and how it fared, newest first in a history. */
export interface ConfigHistoryEntry {
  /** Last of its tags, for example `deployed/a3`; the first state of an agent is `deployed/0`. */
  tag: string;
  sha: string;
  state: ApprovalState;
  at: string;
  /** First line of the commit's message. */
  subject: string;
  /** The reason of a denial, or the error of a failure. */
  note: string;
}

/** An input of the swarm's deployed state (PRODUCT 4.5). */
export interface MetaInput {
  name: string;
  url: string;
  /** What is deployed. */
  rev: string;
  /** What an update would bring; the same when it is up to date, null when that is not known without asking its source. */
  newest: string | null;
  updated_at: string;
}

/** One entry of the meta repository's log: a successful deploy. */
export interface MetaLogEntry {
  sha: string;
  at: string;
  message: string;
}

/** A row of the append-only audit log (PRODUCT 8.7). */
export interface AuditRow {
  id: string;
  at: string;
  who: string;
  /** The way: `admin`, `session`, `token`, `manager`, `login` or `none` (refused). */
  via: string;
  action: string;
  target: string | null;
  /** `ok`, the id of what it made, or the code of the refusal. */
  result: string;
}

/** A destroyed agent whose state is kept: it can be revived or purged (PRODUCT 4.1). */
export interface TombstoneRow {
  version: number;
  agent_id: string;
  name: string;
  role: Role;
  driver: Driver;
  container: Container | null;
  deployed_sha: string | null;
  created_at: string;
  destroyed_at: string;
}
