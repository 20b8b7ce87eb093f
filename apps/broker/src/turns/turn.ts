import type { ResultKind, WakeReason } from '#libs/protocol';

/** A row of `turns`. */
export interface TurnRecord {
  id: number;
  agent: number;
  instance: number;
  /** sha-256 of the token of the CLI process that works on it (P2). */
  run: string;
  started_at: number;
  /** Message that woke it. */
  wake: number;
  wake_reason: WakeReason;
  wake_from: string;
  /** Thread and reminder that its cost is counted to (PRODUCT 6.4): see causeOf. */
  thread: number;
  reminder: number | null;
  attempt: number;
  redelivered: number;
  hop: number;
  next_turn: number;
  /** The operator's cancel: 0 none, 1 asked, 2 asked with discard (P17). */
  cancel: number;
  ended_at: number | null;
  ended_by: EndedBy | null;
  result_kind: ResultKind | null;
  note: string;
  acked: string | null;
  returned: string | null;
  telemetry: string | null;
  journaled: number;
}

/** `late`: a result that came after the broker had ended the turn (P6). */
export type EndedBy = 'harness' | 'broker' | 'late';

/** A turn that was not ended. */
export type LiveTurn = Pick<
  TurnRecord,
  | 'id'
  | 'agent'
  | 'instance'
  | 'run'
  | 'started_at'
  | 'wake'
  | 'wake_reason'
  | 'wake_from'
  | 'thread'
  | 'reminder'
  | 'attempt'
  | 'redelivered'
  | 'hop'
  | 'next_turn'
  | 'cancel'
>;

/** A turn whose wake failed before holds only that (P13). */
export function isAlone(turn: LiveTurn): boolean {
  return turn.attempt > 1;
}
