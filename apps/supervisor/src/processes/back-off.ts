/** First pause before a service that died is started again, in milliseconds. */
export const FIRST_PAUSE_MS = 200;
/** Longest pause, in milliseconds. */
export const LONGEST_PAUSE_MS = 10_000;
/** A service that ran this long did not die of its start: the pauses begin anew, in milliseconds. */
export const STABLE_MS = 60_000;

/** The growing pauses between restarts of one service. */
export class BackOff {
  private next = FIRST_PAUSE_MS;

  /** The pause to make now; `ranMs` is how long the service had run. */
  pause(ranMs: number): number {
    if (ranMs >= STABLE_MS) this.next = FIRST_PAUSE_MS;
    const pause = this.next;
    this.next = Math.min(pause * 2, LONGEST_PAUSE_MS);
    return pause;
  }
}
