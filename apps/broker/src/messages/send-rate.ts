import { Inject, Injectable } from '@nestjs/common';

import { HiveError } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import type { Agent } from '../registry/agent.js';
import { Writer } from '../storage/writer.service.js';

interface Bucket {
  tokens: number;
  /** Monotonic milliseconds of the last refill. */
  filledAt: number;
}

/**
 * How fast each agent may send (PRODUCT 1.8): a bucket of `send_burst` tokens that fills with `sends_per_minute`. Buckets
 * are in memory and start full; what a transaction took is given back when it is rolled back.
 */
@Injectable()
export class SendRate {
  private readonly buckets = new Map<number, Bucket>();
  /** Taken by the transaction that runs now. */
  private tentative: { bucket: Bucket; tokens: number }[] = [];

  constructor(
    private readonly writer: Writer,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    writer.onRollback(() => {
      for (const { bucket, tokens } of this.tentative.splice(0)) bucket.tokens += tokens;
    });
  }

  /**
   * Inside a request, as the last check before it writes. What costs more than the whole burst needs a full bucket and
   * is paid off afterwards. Throws `rate_limited` with the whole seconds until the same call can pass.
   */
  take(agent: Agent, tokens = 1): void {
    const bucket = this.bucket(agent);
    const missing = Math.min(tokens, agent.send_burst) - bucket.tokens;
    // Parts of a token are sums of fractions: what is short by less than any clock can tell is there.
    if (missing > 1e-6) throw tooFast(agent, missing);
    bucket.tokens -= tokens;
    if (this.tentative.push({ bucket, tokens }) === 1) {
      this.writer.afterCommit(() => {
        this.tentative = [];
      });
    }
  }

  private bucket(agent: Agent): Bucket {
    const now = this.clock.monotonic();
    let bucket = this.buckets.get(agent.id);
    if (!bucket) {
      bucket = { tokens: agent.send_burst, filledAt: now };
      this.buckets.set(agent.id, bucket);
    }
    const gained = ((now - bucket.filledAt) / 60_000) * agent.sends_per_minute;
    bucket.tokens = Math.min(agent.send_burst, bucket.tokens + gained);
    bucket.filledAt = now;
    return bucket;
  }
}

function tooFast(agent: Agent, missing: number): HiveError {
  const seconds = Math.max(1, Math.ceil((missing * 60) / agent.sends_per_minute));
  return new HiveError(
    'rate_limited',
    `"${agent.name}" sends too fast: ${agent.send_burst} at once and ${agent.sends_per_minute} a minute are allowed. Nothing was sent; try again in ${seconds} s`,
    {
      retry_after_seconds: seconds,
      burst: agent.send_burst,
      per_minute: agent.sends_per_minute,
    },
  );
}
