import { Injectable } from '@nestjs/common';

import { ThreadsDb } from '../storage/threads.db.js';
import { Writer } from '../storage/writer.service.js';
import { HOP_LIMIT_REASON } from './delivery.js';

interface Inbox {
  queued: number;
  held: number;
  /** `low` because they are past the hop limit (P20). */
  pastHops: number;
  /** Peers' direct messages, that is the limited ones, by what they count towards (P19). */
  limited: number;
  limitedLow: number;
  bySender: Map<number, number>;
}

/** What of a delivery its inbox counts. */
export interface Counted {
  recipient: number;
  sender: number;
  priority: number;
  limited: number;
  held: number;
  /** Why it is `low`, when it was not sent so. */
  reason: string | null;
}

const LOW = 2;

/**
 * How much waits for each recipient, equal to the rows at every moment: a count over a long inbox would hold the writer
 * with each send. Read again after a rollback.
 */
@Injectable()
export class InboxCounts {
  private inboxes = new Map<number, Inbox>();
  private readonly groups;

  constructor(threads: ThreadsDb, writer: Writer) {
    this.groups = threads.db.prepare<[], Counted & { n: number }>(
      `SELECT recipient, sender, priority, limited, held, reason, count(*) AS n FROM deliveries
       WHERE state = 'queued' GROUP BY recipient, sender, priority, limited, held, reason`,
    );
    this.reload();
    writer.onRollback(() => this.reload());
  }

  /** Deliveries that wait, and may be handed out now or later without the operator. */
  pending(recipient: number): number {
    const inbox = this.inboxes.get(recipient);
    return inbox ? inbox.queued - inbox.held : 0;
  }

  /** All deliveries that wait, those that are held included. */
  queued(recipient: number): number {
    return this.inboxes.get(recipient)?.queued ?? 0;
  }

  held(recipient: number): number {
    return this.inboxes.get(recipient)?.held ?? 0;
  }

  /** Deliveries that wake nobody because they are past the hop limit (P20). */
  pastHops(recipient: number): number {
    return this.inboxes.get(recipient)?.pastHops ?? 0;
  }

  /** Limited deliveries that wait: of one share, and of one sender in it. */
  limited(recipient: number, sender: number, priority: number): { all: number; sender: number } {
    const inbox = this.inboxes.get(recipient);
    if (!inbox) return { all: 0, sender: 0 };
    return {
      all: priority === LOW ? inbox.limitedLow : inbox.limited,
      sender: inbox.bySender.get(senderKey(sender, priority)) ?? 0,
    };
  }

  /** Recipients for whom something waits. */
  recipients(): number[] {
    return [...this.inboxes].filter(([, inbox]) => inbox.queued > 0).map(([id]) => id);
  }

  /** A delivery became queued (`1`) or is no longer (`-1`). */
  add(delivery: Counted, change: 1 | -1): void {
    this.count(delivery, change);
  }

  /** A queued delivery became held (`1`) or is no longer (`-1`). */
  hold(recipient: number, change: 1 | -1): void {
    this.inbox(recipient).held += change;
  }

  private reload(): void {
    this.inboxes = new Map();
    for (const group of this.groups.all()) this.count(group, group.n);
  }

  private count(delivery: Counted, n: number): void {
    const inbox = this.inbox(delivery.recipient);
    inbox.queued += n;
    if (delivery.held) inbox.held += n;
    if (delivery.reason === HOP_LIMIT_REASON) inbox.pastHops += n;
    if (!delivery.limited) return;
    if (delivery.priority === LOW) inbox.limitedLow += n;
    else inbox.limited += n;
    const key = senderKey(delivery.sender, delivery.priority);
    const left = (inbox.bySender.get(key) ?? 0) + n;
    if (left === 0) inbox.bySender.delete(key);
    else inbox.bySender.set(key, left);
  }

  private inbox(recipient: number): Inbox {
    let inbox = this.inboxes.get(recipient);
    if (!inbox) {
      inbox = { queued: 0, held: 0, pastHops: 0, limited: 0, limitedLow: 0, bySender: new Map() };
      this.inboxes.set(recipient, inbox);
    }
    return inbox;
  }
}

/** `low` messages have a share of their own, so a sender is counted in each apart. */
function senderKey(sender: number, priority: number): number {
  return priority === LOW ? -sender - 1 : sender;
}
