import { Inject, Injectable } from '@nestjs/common';

import {
  formatId,
  HiveError,
  parseId,
  type BrokerGatewayApi,
  type ThreadMessage,
} from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { DeliveriesRepository } from '../deliveries/deliveries.repository.js';
import type { Agent } from '../registry/agent.js';
import { Credentials } from '../registry/credentials.service.js';
import { DeliveryViews } from '../views/delivery-views.js';
import { namesIn, PRIORITY_RANK, threadOf, toMessage, type MessageRecord } from './message.js';
import { MessagesRepository } from './messages.repository.js';

/** `get_thread`: the part of a conversation that the caller sent or was handed, and nothing else (P34). */
@Injectable()
export class ThreadsService {
  constructor(
    private readonly credentials: Credentials,
    private readonly messages: MessagesRepository,
    private readonly deliveries: DeliveriesRepository,
    private readonly views: DeliveryViews,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** `id` is a thread's or that of any message in it. Throws `not_found`, the same for unknown and foreign ones. */
  thread(credential: string, id: string): BrokerGatewayApi['get_thread'][1] {
    const { agent } = this.credentials.caller(credential);
    const root = this.rootOf(id);
    const records = root === undefined ? [] : this.messages.threadOfAgent(root, agent.id);
    if (root === undefined || records.length === 0) {
      throw new HiveError(
        'not_found',
        'there is no such thread among the messages that you sent or received, or it is no longer kept',
      );
    }
    return {
      thread_id: formatId('m', root),
      messages: records.map((record) => this.messageFor(record, agent)),
    };
  }

  /** A message that the agent sent or was handed; with its deliveries when it is the agent's own. */
  messageFor(record: MessageRecord, agent: Agent): ThreadMessage {
    const mine = this.deliveries.find(record.id, agent.id);
    const message = toMessage(
      record,
      {
        to: namesIn(record.to_names).join(', '),
        priority: mine?.priority ?? PRIORITY_RANK[record.priority],
        redelivered: (mine?.hand_outs ?? 0) > 1,
        attempts: mine?.attempts ?? 0,
      },
      this.clock.now(),
    );
    if (record.from_agent !== agent.id) return message;
    return {
      ...message,
      ...this.views.ofMessage(record.id),
    };
  }

  /** The thread of a message; of one that is no longer kept, the one that it began. */
  private rootOf(id: string): number | undefined {
    const number = parseId('m', id);
    const record = number === undefined ? undefined : this.messages.find(number);
    return record ? threadOf(record) : number;
  }
}
