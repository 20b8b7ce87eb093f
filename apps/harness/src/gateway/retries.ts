import { HiveError, type ErrorCode } from '#libs/protocol';

import { reasonOf, type Log } from '../logging/log.js';
import type { Clock } from '../time/clock.js';

/** A newer instance of this agent's harness is there: stop the CLI and exit, for ever (P4). */
export class InstanceSuperseded extends Error {
  override readonly name = 'InstanceSuperseded';
}

/** First wait after a failed call and the longest one, in milliseconds. */
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 5000;

/** Answers that say nothing about the request itself: the same one may succeed later. */
export const PASSING: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'outcome_unknown',
  'internal',
  'rate_limited',
  'too_many_waiting_calls',
  'unauthorized', // The registry is on its way to a broker that has just started.
  'not_found',
]);

/** Repeats calls to a gateway that comes and goes, with waits that double up to 5 s. */
export class Retries {
  constructor(
    private readonly clock: Pick<Clock, 'sleep'>,
    private readonly log: Log,
  ) {}

  /**
   * Calls until it is answered. Rejects with InstanceSuperseded, with a HiveError that repeating cannot cure, or with
   * `cancelled` once `signal` aborted. The calls must be idempotent.
   */
  async untilAnswered<T>(
    what: string,
    call: () => Promise<T>,
    signal: AbortSignal,
    passing: ReadonlySet<ErrorCode> = PASSING,
  ): Promise<T> {
    let waitMs = FIRST_WAIT_MS;
    for (;;) {
      if (signal.aborted) throw new HiveError('cancelled', `${what} was given up`);
      try {
        return await call();
      } catch (error) {
        const refusal = asRefusal(error);
        if (!passing.has(refusal.code)) throw refusal;
        // The first repetition is silent: a kept connection that the other side closed fails just once.
        if (waitMs > FIRST_WAIT_MS) {
          this.log.warn(`${what} failed, it is tried again`, {
            code: refusal.code,
            reason: refusal.message,
            wait_ms: waitMs,
          });
        }
        await this.clock.sleep(waitMs, signal);
        waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
      }
    }
  }
}

/** The error as a HiveError; `instance_superseded` is thrown as InstanceSuperseded. */
export function asRefusal(error: unknown): HiveError {
  if (!(error instanceof HiveError)) throw error;
  if (error.code === 'instance_superseded') throw new InstanceSuperseded(reasonOf(error));
  return error;
}
