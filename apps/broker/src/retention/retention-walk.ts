/** One step of a walk through what may be past its term. */
export interface WalkStep {
  /** Rows that it removed. */
  removed: number;
  /** It came to the end: there is nothing more for now. */
  done: boolean;
}

/**
 * A walk through a table that removes what is past its term, a bounded number of rows at once. Each step runs inside a
 * request and takes a few milliseconds at any size of the table.
 */
export interface RetentionWalk {
  /** Rows last touched at or before `horizon` (milliseconds since 1970) are past their term. */
  step(horizon: number): WalkStep;
  /** A transaction was rolled back: what it remembers may be ahead of the rows. */
  reset?(): void;
}
