import type { HarnessConfig, ResultKind } from '#libs/protocol';

import type { NewEvent } from '../reports/event-text.js';
import type { RunCredential } from './run-credential.js';

/** Why a running turn is to end before its CLI is done. */
export type InterruptReason = 'cancelled' | 'timed_out' | 'stopped' | 'superseded';

/** What the provider reported for a turn; every count is of this turn only. */
export interface TurnUsage {
  model: string | null;
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens: number;
  cache_creation_input_tokens: number;
  /** Prompt size of the last request; null when there was none. */
  context_tokens: number | null;
  /** Null when the provider's price is not known. */
  cost_usd: number | null;
}

export interface TurnOutcome {
  /**
   * `interrupted`: the CLI did not finish because of `interrupt`; the caller knows why. `unstarted`: the CLI that was kept
   * for the turn had died; nothing of the prompt reached it, and the turn can be begun again with a fresh credential.
   */
  kind: Exclude<ResultKind, 'cancelled' | 'timed_out' | 'budget'> | 'interrupted' | 'unstarted';
  note: string;
  /** Ids that reached the CLI; null when the driver cannot see tools' results (P1). */
  shown: string[] | null;
  usage: TurnUsage;
  tool_calls: Record<string, number>;
  bytes_streamed: number;
}

export interface TurnRequest {
  turnId: string;
  /** The whole wake prompt. */
  prompt: string;
  /** Ids of the messages in it. */
  promptIds: string[];
  config: HarnessConfig;
  credential: RunCredential;
  emit(event: NewEvent): void;
  /** What the dashboard shows while the turn runs. */
  onState(state: 'running' | 'compacting'): void;
  /** The turn has ended well, more work of the harness follows: a crash from here on must not undo it. */
  onSettled(outcome: TurnOutcome): void;
}

export interface LiveTurn {
  /** Settles when the CLI is done with the turn. Never rejects. */
  readonly outcome: Promise<TurnOutcome>;
  /** Ends the turn early: gently first, then by force, within a bound. Repeating it changes nothing. */
  interrupt(reason: InterruptReason): void;
  /** The gateway was away and is back: the CLI should connect to it again. */
  reconnect(): void;
}

/** Drives one kind of CLI. One turn at a time. */
export interface TurnDriver {
  /** Credential for the next turn: that of the running CLI where it fits `config`, else of one that will be started. */
  credential(config: HarnessConfig): Promise<RunCredential>;
  start(turn: TurnRequest): LiveTurn;
  /** The hive revoked the credential: the CLI that holds it ends, and the next credential is a fresh one. */
  renew(): Promise<void>;
  /** Called between turns, at least once a minute: ends a CLI that has been idle for long. */
  rest(): Promise<void>;
  /** The next turn begins a new session. */
  newSession(): Promise<void>;
  /** Compacts the session: now when idle, else after the running turn. Rejects with what stands in the way. */
  compact(config: HarnessConfig): Promise<void>;
  /** The model of the next turn; null: the CLI's own choice. */
  model(config: HarnessConfig): string | null;
  /** Another model from the next turn on, until the configuration names another one. */
  useModel(model: string, config: HarnessConfig): Promise<void>;
  /** Ends the CLI and everything it started. */
  stop(): Promise<void>;
}
