import { Inject, Injectable } from '@nestjs/common';

import { HiveError } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { AgentBuckets } from '../rates/agent-buckets.js';
import type { Agent } from '../registry/agent.js';
import { Writer } from '../storage/writer.service.js';

/** How fast each agent may send (PRODUCT 1.8): a bucket of `send_burst` tokens that fills with `sends_per_minute`. */
@Injectable()
export class SendRate {
  private readonly buckets: AgentBuckets;

  constructor(writer: Writer, @Inject(CLOCK) clock: Clock) {
    this.buckets = new AgentBuckets(writer, clock, (agent) => ({
      perSecond: agent.sends_per_minute / 60,
      burst: agent.send_burst,
    }));
  }

  /**
   * Inside a request, as the last check before it writes. What costs more than the whole burst needs a full bucket and
   * is paid off afterwards. Throws `rate_limited` with the whole seconds until the same call can pass.
   */
  take(agent: Agent, tokens = 1): void {
    const waitMs = this.buckets.waitMs(agent, tokens);
    if (waitMs > 0) throw tooFast(agent, waitMs);
    this.buckets.take(agent, tokens);
  }
}

function tooFast(agent: Agent, waitMs: number): HiveError {
  const seconds = Math.ceil(waitMs / 1000);
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
