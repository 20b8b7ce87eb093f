import type { ResultKind, TurnEvent, TurnTelemetry, WakeReason } from '#libs/protocol';

/** An ended turn as threads.db knows it, for its telemetry row. */
export interface EndedTurn {
  id: number;
  agent_id: number;
  agent: string;
  /** The broker's times, milliseconds since 1970; the harness' own stand in `telemetry`. */
  started_at: number;
  ended_at: number;
  wake_reason: WakeReason;
  wake_from: string;
  /** Root message of the thread that it goes back to. */
  thread: number;
  /** The reminder that it goes back to; null: none. */
  reminder: number | null;
  attempt: number;
  result_kind: ResultKind;
  note: string;
  /** Null when the turn never reported: its harness was lost. */
  telemetry: TurnTelemetry | null;
}

/**
 * Where ended turns and live events go: telemetry.db. Written after the commit of the end and given again at the next
 * start until it settled, so `record` must take the same turn any number of times; a later call for a turn replaces its
 * row (a result that came after the broker had ended the turn, P6).
 */
export abstract class TurnJournal {
  abstract record(turns: readonly EndedTurn[]): Promise<void> | void;
  /** Stores live events, idempotent by their `n`; returns how many were new. */
  abstract events(
    turn: { id: number; agent: string },
    events: readonly TurnEvent[],
  ): Promise<number> | number;
}
