import { Injectable } from '@nestjs/common';

import { assertBody, formatId, MANAGER, type BrokerC0reApi } from '#libs/protocol';

import { IdempotencyRepository } from '../messages/idempotency.repository.js';
import { OutgoingMessages } from '../messages/outgoing.service.js';
import { SYSTEM_SENDER } from '../messages/sender.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import { SYSTEM_ID } from '../registry/agent.js';
import { Writer } from '../storage/writer.service.js';

type Telling = BrokerC0reApi['tell_manager'];

/** What c0re has to tell the manager (PRODUCT 4.10): each thing once, as a message of `system`. */
@Injectable()
export class ManagerNews {
  constructor(
    private readonly writer: Writer,
    private readonly directory: AgentDirectory,
    private readonly told: IdempotencyRepository,
    private readonly outgoing: OutgoingMessages,
  ) {}

  /** Repeated with its key it changes nothing. Nobody is told when there is no manager. */
  async tell({ key, event, body }: Telling[0]): Promise<Telling[1]> {
    return this.writer.submit(() => {
      assertBody(body);
      const before = this.told.find(SYSTEM_ID, key);
      if (before) return { id: formatId('m', before.message) };
      const manager = [...this.directory.all()].find(
        ({ role, state }) => role === MANAGER && state !== 'destroyed',
      );
      if (!manager) return { id: null };
      const { id } = this.outgoing.store({
        sender: SYSTEM_SENDER,
        recipient: { id: manager.id, name: manager.name, limited: false },
        kind: 'event',
        event,
        body,
      });
      this.told.remember(SYSTEM_ID, key, '', id);
      return { id: formatId('m', id) };
    });
  }
}
