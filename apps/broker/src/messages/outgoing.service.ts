import { Inject, Injectable } from '@nestjs/common';

import {
  BROADCAST,
  formatId,
  parseId,
  type MessageEvent,
  type MessageKind,
  type Priority,
  type SendResult,
} from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { DeliveriesRepository } from '../deliveries/deliveries.repository.js';
import { Deliveries } from '../deliveries/deliveries.service.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import type { Addressed, Recipient } from './addressing.service.js';
import { Broadcasts } from './broadcasts.service.js';
import {
  namesIn,
  threadOf,
  toNames,
  type MessageDetail,
  type MessageRecord,
  type NewMessage,
} from './message.js';
import { MessagesRepository } from './messages.repository.js';
import { newDelivery } from './new-delivery.js';
import type { Sender } from './sender.js';

/** What is stored and delivered. */
export interface Outgoing {
  sender: Sender;
  body: string;
  in_reply_to?: string;
  /** Number of the message that it answers, whoever sends it: instead of `in_reply_to`. */
  answers?: number;
  priority?: Priority;
  kind?: MessageKind;
  event?: MessageEvent;
  detail?: MessageDetail;
  /** Default: what the sender's turn or unacked deliveries make it (P20). */
  hop?: number;
}

export interface Stored {
  id: number;
  thread: number;
  /** Set when an `in_reply_to` was ignored. */
  note?: string;
}

/** One sentence for unknown, expired and foreign ids, so that it tells nothing about which (P34). */
export const IGNORED_REPLY =
  'in_reply_to was ignored: it names no message that you sent or received, or one that is no longer kept; the message went out as the start of a new thread';

/** Writes a message and its delivery. Inside a request; everything was checked before. */
@Injectable()
export class OutgoingMessages {
  constructor(
    private readonly messages: MessagesRepository,
    private readonly deliveries: Deliveries,
    private readonly deliveryRows: DeliveriesRepository,
    private readonly broadcasts: Broadcasts,
    private readonly directory: AgentDirectory,
    private readonly changes: ChangeLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** To one recipient. */
  store({ recipient, ...message }: Outgoing & { recipient: Recipient }): Stored {
    return this.storeFor(message, { broadcast: false, recipients: [recipient] });
  }

  /** To each of a list, or frozen for every agent it reaches (P21). */
  storeFor(outgoing: Outgoing, addressed: Addressed): Stored {
    const { sender, in_reply_to, answers, ...options } = outgoing;
    const parent =
      answers === undefined ? this.parent(in_reply_to, sender) : this.messages.find(answers);
    const names = addressed.recipients.map(({ name }) => name);
    const message: NewMessage = {
      thread: parent ? threadOf(parent) : null,
      in_reply_to: parent?.id ?? null,
      from_agent: sender.id,
      from_name: sender.name,
      from_kind: sender.kind,
      to_names: addressed.broadcast ? BROADCAST : toNames(names),
      kind: options.kind ?? 'message',
      event: options.event ?? null,
      priority: options.priority ?? 'normal',
      broadcast: addressed.broadcast ? 1 : 0,
      hop: options.hop ?? this.hopOf(sender),
      may_repeat: sender.turn?.redelivered ? 1 : 0,
      cause_turn: sender.turn?.id ?? null,
      cause_message: sender.turn?.wake ?? null,
      sent_at: this.clock.now(),
      body: options.body,
      detail: options.detail === undefined ? null : JSON.stringify(options.detail),
    };
    const id = this.messages.insert(message);
    if (addressed.broadcast) {
      const recipients = addressed.recipients.map((agent) => agent.id);
      this.broadcasts.freeze({ message: id, sender: sender.id }, recipients);
    } else {
      for (const recipient of addressed.recipients) {
        this.broadcasts.writeBefore(sender.id, recipient.id);
        this.deliveries.add(newDelivery(id, message, recipient.id, recipient.limited));
      }
    }
    this.changes.messageSent(id);
    const stored: Stored = { id, thread: parent ? threadOf(parent) : id };
    if (in_reply_to !== undefined && !parent) stored.note = IGNORED_REPLY;
    return stored;
  }

  /** Names of all that a stored message goes to. */
  recipientsOf(message: MessageRecord): string[] {
    if (message.broadcast === 0) return namesIn(message.to_names);
    return this.broadcasts
      .recipientsOf(message.id)
      .map((id) => this.directory.byId(id)?.name ?? `agent ${id}`);
  }

  /** 1 + the highest hop of what the sender holds; 0 for the operator and for one that holds nothing (P20). */
  hopOf(sender: Sender): number {
    if (sender.turn) return sender.turn.hop + 1;
    if (sender.kind !== 'agent' && sender.kind !== 'manager') return 0;
    let hop = -1;
    for (const delivery of this.deliveryRows.leasedTo(sender.id)) {
      if (delivery.session !== null)
        hop = Math.max(hop, this.messages.find(delivery.message)?.hop ?? 0);
    }
    return hop + 1;
  }

  private parent(in_reply_to: string | undefined, sender: Sender): MessageRecord | undefined {
    const id = in_reply_to === undefined ? undefined : parseId('m', in_reply_to);
    const parent = id === undefined ? undefined : this.messages.find(id);
    if (!parent) return undefined;
    if (sender.kind === 'operator' || this.messages.isPartOf(parent, sender.id)) return parent;
    return undefined;
  }
}

/** Wire form of what was stored. */
export function sendResult(stored: Stored, recipients: readonly string[]): SendResult {
  return {
    id: formatId('m', stored.id),
    thread_id: formatId('m', stored.thread),
    recipients: [...recipients],
    ...(stored.note === undefined ? {} : { note: stored.note }),
  };
}
