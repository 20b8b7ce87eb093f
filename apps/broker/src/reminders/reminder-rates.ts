import { Inject, Injectable } from '@nestjs/common';

import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { AgentBuckets } from '../rates/agent-buckets.js';
import type { Agent } from '../registry/agent.js';
import { Writer } from '../storage/writer.service.js';

/** How fast each agent may make reminders (PRODUCT 3.3). */
@Injectable()
export class ReminderRates {
  private readonly buckets: AgentBuckets;

  constructor(writer: Writer, @Inject(CLOCK) clock: Clock) {
    this.buckets = new AgentBuckets(writer, clock, (agent) => ({
      perSecond: agent.reminders_per_hour / 3600,
      burst: agent.reminder_burst,
    }));
  }

  /** Milliseconds until the agent may make one: 0 now, Infinity never. */
  waitMs(agent: Agent): number {
    return this.buckets.waitMs(agent);
  }

  /** Inside a request: one is made. */
  take(agent: Agent): void {
    this.buckets.take(agent);
  }
}
