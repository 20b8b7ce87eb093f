import type { Clock } from './clock.js';

/** Parts of a token are sums of fractions: what is short by less than any clock can tell is there. */
const SLACK = 1e-6;

/** A rate with a burst: tokens that come back with time, up to a most, and that start full. Monotonic time only. */
export class TokenBucket {
  private tokens: number;
  private filledAt: number;

  constructor(
    private readonly clock: Clock,
    private perSecond: number,
    private burst: number,
  ) {
    this.tokens = burst;
    this.filledAt = clock.monotonic();
  }

  /** From now on it fills with this rate, up to this burst. */
  limit(perSecond: number, burst: number): void {
    this.fill();
    this.perSecond = perSecond;
    this.burst = burst;
    this.tokens = Math.min(this.tokens, burst);
  }

  /** Whole tokens that are there; less than 0 while a debt is paid off. */
  get free(): number {
    this.fill();
    return Math.floor(this.tokens + SLACK);
  }

  /**
   * Milliseconds until `count` may be taken, 0 now, Infinity never. What costs more than the whole burst needs a full
   * bucket, and is paid off afterwards.
   */
  waitMs(count = 1): number {
    this.fill();
    const missing = Math.min(count, this.burst) - this.tokens;
    if (missing <= SLACK) return 0;
    if (this.perSecond === 0) return Infinity;
    return Math.max(1, Math.ceil((missing * 1000) / this.perSecond - SLACK));
  }

  /** Takes them, whether they are there or not. */
  take(count = 1): void {
    this.fill();
    this.tokens -= count;
  }

  /** What was taken was not used. */
  giveBack(count = 1): void {
    this.tokens += count;
  }

  private fill(): void {
    const now = this.clock.monotonic();
    this.tokens = Math.min(
      this.burst,
      this.tokens + ((now - this.filledAt) / 1000) * this.perSecond,
    );
    this.filledAt = now;
  }
}
