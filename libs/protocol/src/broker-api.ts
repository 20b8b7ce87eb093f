import type { NewHiveEvent } from './events.js';
import type {
  EndAnswer,
  EndRequest,
  EventsAnswer,
  EventsRequest,
  HeartbeatAnswer,
  HeartbeatRequest,
  HelloAnswer,
  HelloRequest,
  PollAnswer,
  PollRequest,
} from './harness-api.js';
import type { BrokerJobsApi } from './jobs-api.js';
import type {
  AgentRow,
  ApprovalRow,
  DeliveryRow,
  Message,
  MessageRow,
  NeedsYou,
  OpenThread,
  QuestionRow,
  ReminderRow,
  TurnEvent,
  TurnRow,
} from './rows.js';
import type {
  AgentState,
  CommandKind,
  Container,
  Driver,
  ManagerEvent,
  Priority,
  QuestionState,
  ReminderState,
  Role,
  TurnState,
} from './values.js';

/**
 * The broker's sockets: newline-delimited JSON-RPC, one table of requests per peer (P29). A method that is not in the
 * peer's table is refused with `unknown_method`. `[params, result]` each.
 */

/** Who calls: sha-256 (hex) of the bearer token. The broker resolves it inside the transaction (P2). */
export interface Caller {
  credential: string;
}
/** A time-ordered unique id (UUID v7) that the gateway keeps over its retries (P11). */
export interface Repeatable {
  request_id: string;
}
/** MCP session of the call: bare clients' leases belong to it (P12). */
export interface InSession {
  session: string;
}

export interface Identity {
  agent_id: string;
  name: string;
  role: Role;
  /** `run`: a token of one CLI process, good only inside its live turn; `agent`: the long-lived token. */
  credential_kind: 'agent' | 'run';
}

export interface SendParams {
  to: string | string[];
  body: string;
  in_reply_to?: string;
  priority?: Priority;
  idempotency_key?: string;
}
export interface SendResult {
  id: string;
  thread_id: string;
  recipients: string[];
  /** Says when something was ignored or repeated: an unknown in_reply_to, a retry that returned the first result. */
  note?: string;
}
export interface RecvResult {
  messages: Message[];
  /** How many more wait. */
  pending: number;
}

export interface AskParams {
  question: string;
  options?: string[];
  /** Several options may be chosen. */
  multi?: boolean;
  /** 1 to LIMITS.question_ttl_seconds; without it the question stays open. */
  ttl_seconds?: number;
  /** Default: the operator. */
  to?: string;
}
/** A question of the caller's that is open. */
export interface OpenAsk {
  id: string;
  target: string;
  question: string;
  options?: string[];
  asked_at: string;
  deadline_at?: string;
}

/** What is pending, oldest first. */
export interface OpenThreads {
  threads: OpenThread[];
  /** Set when there is more than the list holds. */
  truncated?: true;
}

export interface RemindParams {
  message: string;
  /** Exactly one of `delay_seconds` and `at` (ISO 8601 with offset, or unix seconds). */
  delay_seconds?: number;
  at?: string | number;
  /** Cron expression or ISO-8601 duration of at least a minute: repeats. */
  every?: string;
  /** IANA time zone of a cron expression; default UTC. */
  every_tz?: string;
  /** Where the body is written at delivery, relative to the state folder (P23). */
  file_path?: string;
}
/** A reminder of the caller's: pending, paused or failed. */
export interface OwnReminder {
  id: string;
  message: string;
  due_at: string;
  every?: string;
  state: ReminderState;
  attempt_count: number;
  last_error?: string;
}

/** A row of `get_thread`: the caller's own messages carry their deliveries. */
export type ThreadMessage = Message & Partial<Pick<MessageRow, 'deliveries' | 'delivery_counts'>>;

/** What peers may see of an agent. */
export interface PeerRow {
  name: string;
  role: Role;
  state: AgentState;
  turn_state: TurnState;
  status_text: string;
}

/** broker-gateway.sock: what agents do, on their behalf. */
export interface BrokerGatewayApi {
  authenticate: [Caller, Identity];
  send: [Caller & Repeatable & InSession & SendParams, SendResult];
  /** `wait_ms` 0 takes what is there; otherwise answered at the first message or with none at the end. Cancellable. */
  recv: [Caller & Repeatable & InSession & { max: number; wait_ms: number }, RecvResult];
  get_thread: [Caller & { id: string }, { thread_id: string; messages: ThreadMessage[] }];
  whoami: [
    Caller,
    {
      name: string;
      role: Role;
      model: string | null;
      driver: Driver;
      hyperhive_rev: string;
      started_at: string;
    },
  ];
  list_agents: [Caller, { agents: PeerRow[] }];
  set_status: [Caller & { text: string }, { status_text: string }];
  request_next_turn: [Caller, { note: string }];
  ack: [
    Caller & InSession & { ids: string[] },
    { acked: string[]; not_acked: { id: string; reason: string }[] },
  ];
  /** Newest first; only what the caller sent or was handed (P34). */
  search_messages: [Caller & { query: string; limit?: number }, { messages: Message[] }];
  ask: [Caller & Repeatable & InSession & AskParams, { id: string; note?: string }];
  /** A list for several options; only the target may answer. */
  answer: [
    Caller & Repeatable & InSession & { id: string; answer: string | string[] },
    { id: string; state: QuestionState },
  ];
  list_my_asks: [Caller, { asks: OpenAsk[] }];
  cancel_ask: [
    Caller & Repeatable & InSession & { id: string },
    { id: string; state: QuestionState },
  ];
  remind: [
    Caller & Repeatable & InSession & RemindParams,
    { id: string; due_at: string; note?: string },
  ];
  list_my_reminders: [Caller, { reminders: OwnReminder[] }];
  /** One of the caller's own; the manager's call may name anybody's. */
  cancel_reminder: [
    Caller & Repeatable & InSession & { id: string },
    { id: string; state: ReminderState },
  ];
  /** The manager's: any question, as the operator may. */
  cancel_question: [
    Caller & Repeatable & InSession & { id: string },
    { id: string; state: QuestionState },
  ];
  /** Oldest first. `hive` is the manager's: everything pending in the swarm. */
  get_open_threads: [Caller & { scope?: 'mine' | 'hive' }, OpenThreads];
  hello: [Caller & HelloRequest, HelloAnswer];
  poll_turn: [Caller & PollRequest, PollAnswer];
  heartbeat: [Caller & { turn_id: string } & HeartbeatRequest, HeartbeatAnswer];
  turn_events: [Caller & { turn_id: string } & EventsRequest, EventsAnswer];
  end_turn: [Caller & { turn_id: string; end: EndRequest }, EndAnswer];
  wake: [Caller & Repeatable & { from: string; body: string }, SendResult];
  /** The answers to these requests were written whole to a connection that was neither closed nor cancelled (P1, P11). */
  answers_written: [{ request_ids: string[] }, Record<string, never>];
  /** An MCP session ended: its bare leases go back, marked. */
  session_closed: [Caller & InSession, { returned: number }];
  /** Run folders in which the gateway keeps each agent's socket (INTERFACES "State folder"). */
  agent_sockets: [
    Record<string, never>,
    { agents: { agent_id: string; name: string; run_dir: string }[] },
  ];
}

/** What the broker asks of a connected gateway over the same socket. */
export interface GatewayCallbacks {
  /** Close every session and waiting call of this run; answered when done (P4, EXECUTIONS H9). */
  close_run: [{ credential: string }, { closed_sessions: number }];
  /** The registry changed: fetch `agent_sockets` again. */
  agents_changed: [Record<string, never>, Record<string, never>];
}

/** A registry entry as c0re pushes it (P26). Tokens only as sha-256 (hex). */
export interface RegistryAgent {
  /** Incarnation: never reused (P25). A decimal integer as text. */
  agent_id: string;
  name: string;
  role: Role;
  driver: Driver;
  model: string | null;
  container: Container | null;
  token_hash: string;
  state: AgentState;
  /** Why it crashed or is parked, in words. */
  reason: string;
  /** Lowest harness instance that may still speak; c0re counts upwards (P4). */
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
}

/** broker-c0re.sock: the registry and what only c0re knows. */
/** What the broker knows of an agent's harness. */
export interface AgentSign {
  agent_id: string;
  /** Of the harness that said hello last. */
  instance: number;
  turn_state: TurnState;
  /** Whether a turn of it is live. */
  turn: boolean;
  /** Whether a call of its harness came within the longest time between two. */
  is_heard: boolean;
  hyperhive_rev: string | null;
}

export interface BrokerC0reApi {
  /** Replaces the whole registry; ids that are missing are destroyed. */
  put_registry: [{ revision: number; agents: RegistryAgent[] }, { revision: number }];
  /** One changed entry; a revision that does not follow the last is refused with `conflict` and c0re pushes the whole. */
  put_agent: [{ revision: number; agent: RegistryAgent }, { revision: number }];
  /** The broker's copy: its revision and `registryDigest` (libs/ipc) over the entries as c0re pushed them. */
  registry_revision: [Record<string, never>, { revision: number; digest: string }];
  /** The harness process of this instance is gone: its turn ends, its leases go back at once. */
  instance_ended: [{ agent_id: string; instance: number }, { returned: number }];
  /**
   * A planned restart of these agents begins (P24): their leases are extended, nothing of theirs is granted or expires
   * until each one's new harness said hello, at most LIMITS.restart_window_seconds. `text`: what the one `restarted`
   * message tells each; without it there is none. Repeating an operation changes nothing.
   * `instances`: each agent's last instance before; one that said hello with a higher one is back already and is told at
   * once.
   */
  open_restart_window: [
    { operation: string; agents: string[]; text?: string; instances?: Record<string, number> },
    { until: string; agents: string[] },
  ];
  /** Whom the operation's window is still open for. */
  restart_window: [{ operation: string }, { agents: string[] }];
  /** The operation is over: what is left of its window ends. */
  close_restart_window: [{ operation: string }, { closed: number }];
  /** The destroyed agent's state is gone for good: what waited for it is dead, and its senders are told (P25). */
  purge_agent: [{ agent_id: string }, { dead: number }];
  /**
   * An event for the manager (PRODUCT 4.10), sent by `system`; without a living manager nobody is told (`id` null). The
   * same `key` again changes nothing.
   */
  tell_manager: [{ key: string; event: ManagerEvent; body: string }, { id: string | null }];
  /** Replaces what waits for the operator at c0re: shown under Needs you and in open threads. */
  put_waiting: [{ approvals: ApprovalRow[] }, { waiting: number }];
  /** Signs of life, turns and logins of all living agents; `watched_ms`: how long a gateway has been there all the time. */
  agent_signs: [Record<string, never>, { watched_ms: number; agents: AgentSign[] }];
  /** Who may call with this token now: a run's token counts only inside its live turn (P2). */
  identify: [Caller, Identity];
  /** Events of c0re's own rows (operations, approvals) for the stream. */
  publish: [{ events: NewHiveEvent[] }, { published: number }];
}

/** What a page of messages is asked by. */
export interface MessagesQuery {
  thread?: string;
  agent?: string;
  /** Message id: only older ones. */
  before?: string;
  limit?: number;
}
/** What the turns that one thing caused cost (PRODUCT 6.4). */
export interface CauseCost {
  turns: number;
  cost_usd: number;
}

export interface AgentStats {
  window: '24h' | '7d' | '30d';
  turns: number;
  by_bucket: {
    at: string;
    turns: number;
    p50_ms: number | null;
    p95_ms: number | null;
    input_tokens: number;
    output_tokens: number;
    cost_usd: number;
    context_tokens_max: number | null;
  }[];
  tools: Record<string, number>;
  wake_mix: Record<string, number>;
  result_mix: Record<string, number>;
  tokens: { input: number; output: number; cache_read: number; cache_creation: number };
  cost_usd: number;
  /** By the thread of what woke each turn: the dearest first, at most `stats_causes`. */
  cost_by_thread: (CauseCost & { thread_id: string })[];
  /** By the reminder that each turn goes back to, over all its occurrences: the dearest first, at most `stats_causes`. */
  cost_by_reminder: (CauseCost & { reminder_id: string })[];
}

/** What a page of the operator's lists is asked by; `before` is the `next` of the page before. */
export interface PageQuery {
  before?: string;
  limit?: number;
}

/** broker-dashboard.sock: what the operator sees and says. */
export interface BrokerDashboardApi {
  /** Everything of the broker's that the page shows first, read in one transaction. */
  snapshot: [
    { messages: number },
    {
      version: number;
      agents: AgentRow[];
      messages: MessageRow[];
      turns: TurnRow[];
      /** Open ones, and those that were resolved last. */
      questions: QuestionRow[];
      reminders_failed: ReminderRow[];
      needs_you: NeedsYou[];
    },
  ];
  send: [Repeatable & SendParams, SendResult];
  mark_read: [{ id: string }, { message: MessageRow }];
  messages: [MessagesQuery, { messages: MessageRow[]; next?: string }];
  agent_inbox: [
    { agent: string; limit?: number; before?: string },
    { messages: MessageRow[]; next?: string },
  ];
  agent_turns: [
    { agent: string; limit?: number; before?: string },
    { turns: TurnRow[]; next?: string },
  ];
  /** Live events of the newest turns, oldest first; `turn_id` for one turn only. */
  agent_events: [
    { agent: string; turn_id?: string; limit?: number },
    { events: { turn_id: string; event: TurnEvent }[] },
  ];
  agent_stats: [{ agent: string; window: '24h' | '7d' | '30d' }, AgentStats];
  /** Queues a command for the agent's harness (P18). */
  command: [
    Partial<Repeatable> & { agent: string; kind: CommandKind; model?: string; discard?: boolean },
    { id: string },
  ];
  /** Queues a dead delivery once more, with its attempts counted afresh (PRODUCT 1.2). `id`: formatDeliveryId. */
  retry_delivery: [Partial<Repeatable> & { id: string }, { message: MessageRow }];
  dead_deliveries: [PageQuery & { agent?: string }, { deliveries: DeliveryRow[]; next?: string }];
  /** Newest first; `agent` as sender or recipient. */
  search: [
    PageQuery & { query: string; agent?: string },
    { messages: MessageRow[]; next?: string },
  ];
  questions: [
    PageQuery & { agent?: string; state?: QuestionState },
    { questions: QuestionRow[]; next?: string },
  ];
  /** The operator answers any question, a peer's as override (PRODUCT 2.2). */
  answer_question: [
    Repeatable & { id: string; answer: string | string[] },
    { question: QuestionRow },
  ];
  cancel_question: [Partial<Repeatable> & { id: string }, { question: QuestionRow }];
  reminders: [
    PageQuery & { agent?: string; state?: ReminderState },
    { reminders: ReminderRow[]; next?: string },
  ];
  /** A failed one is pending again, its attempts counted afresh, due now. */
  retry_reminder: [Partial<Repeatable> & { id: string }, { reminder: ReminderRow }];
  cancel_reminder: [Partial<Repeatable> & { id: string }, { reminder: ReminderRow }];
  /** What `get_open_threads` gives the agent. */
  agent_threads: [{ agent: string }, OpenThreads];
  needs_you: [Record<string, never>, { version: number; needs_you: NeedsYou[] }];
  /** An external wake by the operator's `hive wake`: shows as `external:LABEL` (PRODUCT 1.15). */
  wake: [Repeatable & { agent: string; from: string; body: string }, SendResult];
  /** The operator's "go on" after a cancelled turn (P17). */
  release: [{ agent: string }, { agent: AgentRow }];
}

/** broker-scheduler.sock: the maintenance queue's work, and all that is due, in order or fanned out. */
export interface BrokerSchedulerApi extends BrokerJobsApi {
  /** Expires leases without heartbeat and returns what is leased to a turn that is not live (P7, P14). */
  sweep_leases: [Record<string, never>, { expired: number; returned: number }];
  /** Checks that every queued delivery can be woken, and wakes what was missed (P15). */
  check_wakes: [Record<string, never>, { queued: number; woken: number; stuck: number }];
  /** Removes some of what is past its retention (PRODUCT 1.10); `more`: call again at once. */
  sweep_retention: [
    Record<string, never>,
    { messages: number; questions: number; reminders: number; more: boolean },
  ];
}
