import { Injectable } from '@nestjs/common';

import { HiveError } from '#libs/protocol';

import { DeliveriesRepository } from '../deliveries/deliveries.repository.js';
import { Deliveries } from '../deliveries/deliveries.service.js';
import { PURGED_REASON, type DeliveryRecord } from '../deliveries/delivery.js';
import { Broadcasts } from '../messages/broadcasts.service.js';
import { OutgoingMessages } from '../messages/outgoing.service.js';
import { SYSTEM_SENDER } from '../messages/sender.js';
import { Writer } from '../storage/writer.service.js';
import { AgentDirectory } from './agent-directory.service.js';
import type { Agent } from './agent.js';
import { RegistryService } from './registry.service.js';

/** `purge_agent`: a destroyed agent will never come back, so what waits for it is dead and its senders are told (P25). */
@Injectable()
export class PurgeService {
  constructor(
    private readonly writer: Writer,
    private readonly directory: AgentDirectory,
    private readonly registry: RegistryService,
    private readonly rows: DeliveriesRepository,
    private readonly deliveries: Deliveries,
    private readonly broadcasts: Broadcasts,
    private readonly outgoing: OutgoingMessages,
  ) {}

  /** Repeated, or for an agent of which nothing was ever known here, it changes nothing. Throws `conflict` for one that lives. */
  async purge(id: number): Promise<{ dead: number }> {
    return this.writer.submit(() => {
      const agent = this.directory.byId(id);
      if (!agent) return { dead: 0 };
      if (agent.state !== 'destroyed') {
        throw new HiveError('conflict', `"${agent.name}" lives; destroy it before it is purged`);
      }
      this.broadcasts.writeFor(id);
      const waiting = this.rows.queuedFor(id);
      for (const delivery of waiting) this.deliveries.bury(delivery, PURGED_REASON);
      this.registry.tellPurged(agent);
      this.tellSenders(agent, waiting);
      return { dead: waiting.length };
    });
  }

  private tellSenders(agent: Agent, waiting: readonly DeliveryRecord[]): void {
    const lost = Map.groupBy(waiting, (delivery) => delivery.sender);
    for (const [id, deliveries] of lost) {
      const sender = this.directory.byId(id);
      if (!sender || sender.state === 'destroyed' || id === agent.id) continue;
      const count = deliveries.length === 1 ? 'a message' : `${deliveries.length} messages`;
      this.outgoing.store({
        sender: SYSTEM_SENDER,
        recipient: { id, name: sender.name, limited: false },
        kind: 'event',
        event: 'recipient_purged',
        priority: 'low',
        body: `"${agent.name}" was removed for good; ${count} of yours to it will never be read`,
      });
    }
  }
}
