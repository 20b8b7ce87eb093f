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
import type { AgentRow, Delivery, Message, MessageRow, TurnEvent, TurnRow } from './rows.js';
import type {
  AgentState,
  CommandKind,
  Container,
  Driver,
  Priority,
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

/** A row of `get_thread`: the caller's own messages carry their deliveries. */
export type ThreadMessage = Message & { deliveries?: Delivery[] };

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
  run_dir: string;
  deployed_sha: string | null;
}

/** broker-c0re.sock: the registry and what only c0re knows. */
export interface BrokerC0reApi {
  /** Replaces the whole registry; ids that are missing are destroyed. */
  put_registry: [{ revision: number; agents: RegistryAgent[] }, { revision: number }];
  /** One changed entry; a revision that does not follow the last is refused with `conflict` and c0re pushes the whole. */
  put_agent: [{ revision: number; agent: RegistryAgent }, { revision: number }];
  /** The broker's copy: its revision and `registryDigest` (libs/ipc) over the entries as c0re pushed them. */
  registry_revision: [Record<string, never>, { revision: number; digest: string }];
  /** The harness process of this instance is gone: its turn ends, its leases go back at once. */
  instance_ended: [{ agent_id: string; instance: number }, { returned: number }];
  /** Events of c0re's own rows (operations) for the stream. */
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
}

/** broker-dashboard.sock: what the operator sees and says. */
export interface BrokerDashboardApi {
  /** Everything of the broker's that the page shows first, read in one transaction. */
  snapshot: [
    { messages: number },
    { version: number; agents: AgentRow[]; messages: MessageRow[]; turns: TurnRow[] },
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
    { agent: string; kind: CommandKind; model?: string; discard?: boolean },
    { id: string },
  ];
  /** Queues a dead delivery once more, with its attempts counted afresh (PRODUCT 1.2). */
  retry_delivery: [{ id: string; recipient: string }, { message: MessageRow }];
  /** The operator's "go on" after a cancelled turn (P17). */
  release: [{ agent: string }, { agent: AgentRow }];
}

/** broker-scheduler.sock: the maintenance queue's work. */
export interface BrokerSchedulerApi {
  /** Expires leases without heartbeat and returns what is leased to a turn that is not live (P7, P14). */
  sweep_leases: [Record<string, never>, { expired: number; returned: number }];
  /** Checks that every queued delivery can be woken, and wakes what was missed (P15). */
  check_wakes: [Record<string, never>, { queued: number; woken: number; stuck: number }];
}
