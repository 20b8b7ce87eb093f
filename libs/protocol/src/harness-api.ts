import type { Message, TurnEvent } from './rows.js';
import type { CommandKind, Driver, ResultKind, Role, TurnState, WakeReason } from './values.js';

/**
 * The harness API: `POST /harness/v1/…` at the gateway with the agent's own token (not a run's).
 * docs/harness-protocol.md explains it for somebody who writes a harness in another language.
 */

/** What a turn cost and did; every count is of this turn only (PRODUCT 6.1). */
export interface TurnTelemetry {
  started_at: string;
  ended_at: string;
  duration_ms: number;
  model: string | null;
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens: number;
  cache_creation_input_tokens: number;
  context_tokens: number | null;
  tool_call_count: number;
  tool_call_breakdown: Record<string, number>;
  bytes_streamed: number;
  cost_usd: number | null;
}

/** `POST /harness/v1/turns/:id/end`: the first result per turn id wins (P6). */
export interface EndRequest {
  instance: number;
  result_kind: ResultKind;
  /**
   * Message ids that the harness saw reach the CLI (P1). Null: the driver cannot see tool results, and the broker takes
   * the prompt's and every answer that the gateway wrote whole.
   */
  shown: string[] | null;
  note: string;
  telemetry: TurnTelemetry;
}
export interface EndAnswer {
  outcome: 'accepted' | 'repeated' | 'superseded' | 'unknown';
  acked: string[];
  returned: string[];
}

/** `POST /harness/v1/hello`: first call of a harness instance, after it ended the old CLI (P4). */
export interface HelloRequest {
  /** Given by c0re in HIVE_INSTANCE; only rises. A lower one is refused with `instance_superseded` for ever. */
  instance: number;
  driver: Driver;
  model: string | null;
  hyperhive_rev: string;
  started_at: string;
  /** Ends that the former instance wrote to disk and never got answered; applied before anything is returned (P6). */
  ends: { turn_id: string; end: EndRequest }[];
}
export interface HelloAnswer {
  agent: string;
  role: Role;
  /** Deliveries that came back from the former instance's turn. */
  returned: number;
  ends: { turn_id: string; answer: EndAnswer }[];
}

/** A command for the harness; the next heartbeat or poll confirms its id (P18). */
export interface HarnessCommand {
  id: string;
  kind: CommandKind;
  /** `model`: the model's name. `cancel`: whether what the turn held is closed instead of held. */
  model?: string;
  discard?: boolean;
}

/** `POST /harness/v1/turns`: long-poll for the next turn. */
export interface PollRequest {
  instance: number;
  /** sha-256 (hex) of the token that the CLI process of this turn has or will have (P2). */
  run_token_hash: string;
  /** The last turn that this instance knows of, null before the first: a lost grant is given again (P7). */
  last_turn_id: string | null;
  wait_seconds: number;
  /** Ids of commands carried out since the last call. */
  confirm: string[];
}
/** What wakes a turn: the wake's message first, then `low` ones taken along (P8). */
export interface TurnGrant {
  turn_id: string;
  /** True when this very turn was granted before and the answer was lost (P7). */
  again: boolean;
  wake_reason: WakeReason;
  messages: Message[];
  /** Reply context by message id: the message answered to, only where the agent is part of it (P34). */
  contexts: Record<string, { id: string; from: string; body: string }>;
  /** The N of `(+N more queued; …)`. */
  pending: number;
  lease_seconds: number;
  hop: number;
}
export interface PollAnswer {
  turn: TurnGrant | null;
  commands: HarnessCommand[];
}

/** `POST /harness/v1/turns/:id/heartbeat`: a long-poll for commands that keeps the lease (P18). */
export interface HeartbeatRequest {
  instance: number;
  turn_state: TurnState;
  confirm: string[];
  /** 0: answer at once. */
  wait_seconds: number;
}
export interface HeartbeatAnswer {
  lease_until: string;
  commands: HarnessCommand[];
}

/** `POST /harness/v1/turns/:id/events`: live events, idempotent by their `n`. */
export interface EventsRequest {
  instance: number;
  events: TurnEvent[];
}
export interface EventsAnswer {
  stored: number;
}

/** `POST /harness/v1/wake`: an external program wakes its own agent (PRODUCT 1.15). */
export interface WakeRequest {
  from: string;
  body: string;
}

/**
 * Set by c0re in the environment of an agent's first process. Every process of the agent carries it, the CLI and its
 * children too: by it c0re finds and ends what belongs to the agent, also when the harness is gone.
 */
export const AGENT_MARK_VARIABLE = 'HIVE_MARK';

/**
 * Node's flags for a harness: no compilers beside the interpreter and a small young generation, which saves 10 MB of an
 * idle one. It only moves lines between a CLI and the gateway.
 */
export const HARNESS_NODE_FLAGS = ['--lite-mode', '--max-semi-space-size=1'] as const;

/** What c0re writes for the harness to `HIVE_HARNESS_CONFIG` (JSON, readable by the agent only). */
export interface HarnessConfig {
  name: string;
  role: Role;
  driver: Driver;
  /** `command` and `acp`: the argv. `claude`: optional path of the CLI as the only element. */
  command: string[];
  model: string | null;
  system_prompt: string;
  /** Extra environment of the CLI, secrets resolved (P31); never that of the harness. */
  env: Record<string, string>;
  mcp_servers: Record<string, unknown>;
  allowed_tools: string[];
  allowed_recipients: string[];
  auto_compact_watermark: number;
  turn_seconds: number;
}

/** Result of an agent's `whoami` (PRODUCT 5.7). */
export interface WhoAmI {
  name: string;
  role: Role;
  model: string | null;
  driver: Driver;
  port: number;
  hyperhive_rev: string;
  started_at: string;
}
