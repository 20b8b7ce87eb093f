import { Inject, Injectable } from '@nestjs/common';

import {
  formatId,
  LIMITS,
  parseId,
  type MessageEvent,
  type MessageKind,
  type Priority,
} from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { DeliveriesRepository } from '../deliveries/deliveries.repository.js';
import { Deliveries } from '../deliveries/deliveries.service.js';
import { HOP_LIMIT_REASON } from '../deliveries/delivery.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import type { Recipient } from './addressing.service.js';
import { PRIORITY_RANK, threadOf, type MessageDetail, type MessageRecord } from './message.js';
import { MessagesRepository } from './messages.repository.js';
import type { Sender } from './sender.js';

/** What is stored and delivered. */
export interface Outgoing {
  sender: Sender;
  recipient: Recipient;
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
    private readonly changes: ChangeLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  store({ sender, recipient, body, in_reply_to, answers, ...options }: Outgoing): Stored {
    const parent =
      answers === undefined ? this.parent(in_reply_to, sender) : this.messages.find(answers);
    const hop = options.hop ?? this.hopOf(sender);
    const pastLimit = hop > LIMITS.hops && recipient.id !== 0;
    const priority = options.priority ?? 'normal';
    const kind = options.kind ?? 'message';
    const id = this.messages.insert({
      thread: parent ? threadOf(parent) : null,
      in_reply_to: parent?.id ?? null,
      from_agent: sender.id,
      from_name: sender.name,
      from_kind: sender.kind,
      to_names: recipient.name,
      kind,
      event: options.event ?? null,
      priority,
      broadcast: 0,
      hop,
      may_repeat: sender.turn?.redelivered ? 1 : 0,
      cause_turn: sender.turn?.id ?? null,
      cause_message: sender.turn?.wake ?? null,
      sent_at: this.clock.now(),
      body,
      detail: options.detail === undefined ? null : JSON.stringify(options.detail),
    });
    this.deliveries.add({
      message: id,
      recipient: recipient.id,
      priority: pastLimit ? PRIORITY_RANK.low : PRIORITY_RANK[priority],
      sender: sender.id,
      limited: recipient.limited ? 1 : 0,
      eager: priority === 'urgent' || sender.kind === 'operator' || kind === 'answer' ? 1 : 0,
      reason: pastLimit ? HOP_LIMIT_REASON : null,
    });
    this.changes.messageSent(id);
    const stored: Stored = { id, thread: parent ? threadOf(parent) : id };
    if (in_reply_to !== undefined && !parent) stored.note = IGNORED_REPLY;
    return stored;
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
export function sendResult(
  stored: Stored,
  recipient: string,
): {
  id: string;
  thread_id: string;
  recipients: string[];
  note?: string;
} {
  return {
    id: formatId('m', stored.id),
    thread_id: formatId('m', stored.thread),
    recipients: [recipient],
    ...(stored.note === undefined ? {} : { note: stored.note }),
  };
}
