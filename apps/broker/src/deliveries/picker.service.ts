import { Inject, Injectable } from '@nestjs/common';

import { LIMITS } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { PRIORITY_RANK } from '../messages/message.js';
import type { Agent } from '../registry/agent.js';
import { DeliveriesRepository } from './deliveries.repository.js';
import type { DeliveryRecord } from './delivery.js';
import { InboxCounts } from './inbox-counts.js';

/** What is handed out next, and the agent's count of urgent ones in a row once it was. */
export interface Pick {
  deliveries: DeliveryRecord[];
  urgentRow: number;
}

/** Chooses what an agent is handed next: by priority, then age, and the oldest normal one after 8 urgent ones (P10). */
@Injectable()
export class Picker {
  constructor(
    private readonly rows: DeliveriesRepository,
    private readonly counts: InboxCounts,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** At most `limit` deliveries, `low` ones last. `attempts`: failed turns that each may have behind it. */
  forRecv(agent: Agent, limit: number, attempts = Number.MAX_SAFE_INTEGER): Pick {
    const only = this.onlyOne(agent);
    if (only) {
      const isUrgent = only.priority === PRIORITY_RANK.urgent;
      return { deliveries: [only], urgentRow: isUrgent ? agent.urgent_row + 1 : 0 };
    }
    const query = { recipient: agent.id, now: this.clock.now(), limit, attempts };
    const inOrder = this.rows.available(query);
    if (inOrder[0]?.priority !== PRIORITY_RANK.urgent)
      return { deliveries: inOrder, urgentRow: inOrder.length > 0 ? 0 : agent.urgent_row };
    const urgent = this.rows.availableOf(PRIORITY_RANK.urgent, query);
    const normal = this.rows.availableOf(PRIORITY_RANK.normal, query);
    const low = this.rows.availableOf(PRIORITY_RANK.low, query);
    return interleave([urgent, normal, low], limit, agent.urgent_row);
  }

  /** The one delivery that a turn would start with: never a `low` one (P8). */
  forWake(agent: Agent): Pick | undefined {
    const query = {
      recipient: agent.id,
      now: this.clock.now(),
      limit: 1,
      attempts: Number.MAX_SAFE_INTEGER,
    };
    const [first] = this.rows.available(query);
    if (!first || first.priority === PRIORITY_RANK.low) return undefined;
    if (first.priority !== PRIORITY_RANK.urgent) return { deliveries: [first], urgentRow: 0 };
    const normal = this.rows.availableOf(PRIORITY_RANK.normal, query);
    return interleave([[first], normal], 1, agent.urgent_row);
  }

  /** The `low` ones that a turn takes along. */
  lowAlong(agent: Agent): DeliveryRecord[] {
    return this.rows.availableOf(PRIORITY_RANK.low, {
      recipient: agent.id,
      now: this.clock.now(),
      limit: LIMITS.low_per_wake,
      attempts: 0,
    });
  }

  /** What waits, when it is one delivery that came just now, as for an agent that waits for its next message. */
  private onlyOne({ id }: Agent): DeliveryRecord | undefined {
    return this.counts.queued(id) === 1 ? this.rows.newestQueued(id) : undefined;
  }
}

function interleave(
  [urgent = [], normal = [], low = []]: DeliveryRecord[][],
  limit: number,
  urgentRow: number,
): Pick {
  const waiting = { urgent: [...urgent], normal: [...normal] };
  const deliveries: DeliveryRecord[] = [];
  let row = urgentRow;
  while (deliveries.length < limit) {
    const normalIsDue = row >= LIMITS.urgent_in_a_row || waiting.urgent.length === 0;
    const next = normalIsDue
      ? (waiting.normal.shift() ?? waiting.urgent.shift())
      : waiting.urgent.shift();
    if (!next) break;
    row = next.priority === PRIORITY_RANK.urgent ? row + 1 : 0;
    deliveries.push(next);
  }
  return { deliveries: [...deliveries, ...low].slice(0, limit), urgentRow: row };
}
