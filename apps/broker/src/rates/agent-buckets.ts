import { TokenBucket, type Clock } from '#libs/service';

import type { Agent } from '../registry/agent.js';
import type { Writer } from '../storage/writer.service.js';

export interface Rate {
  perSecond: number;
  burst: number;
}

/**
 * A bucket for each agent, in memory, that starts full and follows the agent's limits as they change. What a transaction
 * took is given back when it is rolled back.
 */
export class AgentBuckets {
  private readonly buckets = new Map<number, TokenBucket>();
  /** Taken by the transaction that runs now. */
  private tentative: { bucket: TokenBucket; tokens: number }[] = [];

  constructor(
    private readonly writer: Writer,
    private readonly clock: Clock,
    private readonly rateOf: (agent: Agent) => Rate,
  ) {
    writer.onRollback(() => {
      for (const { bucket, tokens } of this.tentative.splice(0)) bucket.giveBack(tokens);
    });
  }

  /** Milliseconds until the agent may take `tokens`: 0 now, Infinity never. See TokenBucket.waitMs. */
  waitMs(agent: Agent, tokens = 1): number {
    return this.of(agent).waitMs(tokens);
  }

  /** Inside a request. */
  take(agent: Agent, tokens = 1): void {
    const bucket = this.of(agent);
    bucket.take(tokens);
    if (this.tentative.push({ bucket, tokens }) > 1) return;
    this.writer.afterCommit(() => {
      this.tentative = [];
    });
  }

  private of(agent: Agent): TokenBucket {
    const { perSecond, burst } = this.rateOf(agent);
    let bucket = this.buckets.get(agent.id);
    if (bucket) {
      bucket.limit(perSecond, burst);
    } else {
      bucket = new TokenBucket(this.clock, perSecond, burst);
      this.buckets.set(agent.id, bucket);
    }
    return bucket;
  }
}
