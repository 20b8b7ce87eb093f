import { Inject, Injectable } from '@nestjs/common';

import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import type { Agent } from '../registry/agent.js';
import { Writer } from '../storage/writer.service.js';

const HOUR_MS = 3_600_000;

/** How fast each agent may make reminders: a bucket each, in memory, that starts full (PRODUCT 3.3). */
@Injectable()
export class ReminderRates {
  private readonly buckets = new Map<number, { tokens: number; at: number }>();
  /** Taken by the transaction under way: a rollback gives them back. */
  private taken: number[] = [];

  constructor(
    private readonly writer: Writer,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    writer.onRollback(() => {
      for (const agent of this.taken.splice(0)) {
        const bucket = this.buckets.get(agent);
        if (bucket) bucket.tokens += 1;
      }
    });
  }

  /** Milliseconds until the agent may make one: 0 now, Infinity never. */
  waitMs(agent: Agent): number {
    const { tokens } = this.bucket(agent);
    if (tokens >= 1) return 0;
    if (agent.reminders_per_hour === 0) return Infinity;
    return Math.ceil(((1 - tokens) * HOUR_MS) / agent.reminders_per_hour);
  }

  /** Inside a request: one is made. */
  take(agent: Agent): void {
    this.bucket(agent).tokens -= 1;
    this.taken.push(agent.id);
    this.writer.afterCommit(() => {
      this.taken = [];
    });
  }

  private bucket(agent: Agent): { tokens: number; at: number } {
    const now = this.clock.monotonic();
    const bucket = this.buckets.get(agent.id) ?? { tokens: agent.reminder_burst, at: now };
    const refill = ((now - bucket.at) * agent.reminders_per_hour) / HOUR_MS;
    bucket.tokens = Math.min(agent.reminder_burst, bucket.tokens + refill);
    bucket.at = now;
    this.buckets.set(agent.id, bucket);
    return bucket;
  }
}
