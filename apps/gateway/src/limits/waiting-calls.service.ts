import { Injectable } from '@nestjs/common';

import { HiveError, LIMITS } from '#libs/protocol';

/** What waits: tool calls of an agent's CLIs, or long-polls of its harness. Each kind has the whole limit to itself. */
export type WaitingKind = 'tool' | 'harness';

/** Counts the calls of each agent that wait for something to come (P36). */
@Injectable()
export class WaitingCalls {
  private readonly counts = new Map<string, number>();

  /** Counts one more; the returned function takes it back. Throws `too_many_waiting_calls` at the limit. */
  enter(kind: WaitingKind, agentId: string): () => void {
    const key = `${kind} ${agentId}`;
    const count = this.counts.get(key) ?? 0;
    if (count >= LIMITS.waiting_calls_per_agent) {
      throw new HiveError(
        'too_many_waiting_calls',
        `${count} calls of this agent are waiting already, the limit is ${LIMITS.waiting_calls_per_agent}; use the answer of one of them, or call with wait_seconds 0`,
        { limit: LIMITS.waiting_calls_per_agent },
      );
    }
    this.counts.set(key, count + 1);
    return () => {
      const left = (this.counts.get(key) ?? 1) - 1;
      if (left > 0) this.counts.set(key, left);
      else this.counts.delete(key);
    };
  }
}
