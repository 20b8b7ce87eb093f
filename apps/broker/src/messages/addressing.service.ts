import { Injectable } from '@nestjs/common';

import {
  BROADCAST,
  HiveError,
  LIMITS,
  MANAGER,
  OPERATOR,
  SPECIAL_NAMES,
  type Priority,
} from '#libs/protocol';

import { InboxCounts } from '../deliveries/inbox-counts.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import { OPERATOR_ID, type Agent } from '../registry/agent.js';
import { PRIORITY_RANK } from './message.js';
import type { Sender } from './sender.js';

/** A recipient that a message may go to. */
export interface Recipient {
  id: number;
  name: string;
  /** Peers' direct messages count towards the inbox limit (P19). */
  limited: boolean;
}

/** Whom a send goes to: by name, or every agent that the sender may write to. */
export type Addressed =
  | { broadcast: false; recipients: readonly Recipient[] }
  | { broadcast: true; recipients: readonly Agent[] };

/** Turns the `to` of a send into its recipients, or says why it cannot. */
@Injectable()
export class Addressing {
  constructor(
    private readonly directory: AgentDirectory,
    private readonly counts: InboxCounts,
  ) {}

  /** Throws unless this sender may write to every name in `to` now; a name that is given twice counts once. */
  resolve(sender: Sender, to: string | readonly string[], priority: Priority): Addressed {
    if (to === BROADCAST) return { broadcast: true, recipients: this.everybody(sender) };
    if (typeof to === 'string')
      return { broadcast: false, recipients: [this.recipient(sender, to, priority)] };
    if (to.includes(BROADCAST)) {
      throw new HiveError(
        'invalid_request',
        '"*" reaches everybody and stands alone, not in a list of names; nothing was sent',
      );
    }
    const recipients = [...new Set(to)].map((name) => this.recipient(sender, name, priority));
    return { broadcast: false, recipients };
  }

  /** Whether peers' messages of this priority find no room in an inbox (P19). */
  isFull(recipient: number, priority: Priority): boolean {
    return (
      this.counts.limited(recipient, recipient, PRIORITY_RANK[priority]).all >=
      this.room(recipient, priority)
    );
  }

  /** The recipients of a broadcast (P21), in the order of their ids. */
  private everybody(sender: Sender): Agent[] {
    const allowed = sender.allowedRecipients;
    const others = [...this.directory.all()]
      .filter(({ id, name }) => id !== sender.id && isAllowed(allowed, name))
      .toSorted((a, b) => a.id - b.id);
    if (others.length > 0) return others;
    throw new HiveError(
      'unknown_recipient',
      'there is no other agent that you may write to; nothing was sent',
    );
  }

  /** Throws unless this sender may write to this one name now. */
  recipient(sender: Sender, to: string, priority: Priority): Recipient {
    const recipient = this.find(sender, to);
    this.assertAllowed(sender, to);
    if (recipient.limited) this.assertRoom(sender, recipient, priority);
    return recipient;
  }

  private find(sender: Sender, to: string): Recipient {
    if (to === OPERATOR) {
      if (sender.kind === 'operator')
        throw new HiveError('unknown_recipient', 'the operator cannot write to the operator');
      return { id: OPERATOR_ID, name: OPERATOR, limited: false };
    }
    const agent = this.directory.byName(to);
    if (agent) {
      const limited = ['agent', 'manager', 'external'].includes(sender.kind);
      return { id: agent.id, name: agent.name, limited };
    }
    throw new HiveError('unknown_recipient', this.whyUnknown(to));
  }

  private whyUnknown(to: string): string {
    const name = JSON.stringify(to.slice(0, 40));
    if ((SPECIAL_NAMES as readonly string[]).includes(to) && to !== MANAGER)
      return `${name} is not an inbox; it only names where some messages come from`;
    for (const agent of this.directory.incarnations()) {
      if (agent.name === to) return `the agent ${name} was destroyed; nothing was sent`;
    }
    return `there is no agent ${name}; nothing was sent. list_agents shows who there is`;
  }

  private assertAllowed(sender: Sender, to: string): void {
    const allowed = sender.allowedRecipients;
    if (isAllowed(allowed, to)) return;
    throw new HiveError(
      'recipient_not_allowed',
      `you may not write to "${to}"; you may write to ${[...new Set([...allowed, MANAGER])].join(', ')}. Ask the manager to pass it on`,
      { allowed },
    );
  }

  private assertRoom(sender: Sender, recipient: Recipient, priority: Priority): void {
    const room = this.room(recipient.id, priority);
    const waiting = this.counts.limited(recipient.id, sender.id, PRIORITY_RANK[priority]);
    const what = priority === 'low' ? 'low messages' : 'messages';
    if (waiting.all >= room) {
      throw new HiveError(
        'inbox_full',
        `the inbox of "${recipient.name}" is full: ${waiting.all} ${what} wait, the limit is ${room}. Nothing was sent; try again when it has read some`,
        { queued: waiting.all, limit: room },
      );
    }
    if (waiting.sender >= share(room)) {
      throw new HiveError(
        'inbox_full',
        `"${recipient.name}" has ${waiting.sender} unread ${what} of yours, one sender may have ${share(room)}. Nothing was sent; wait until it has read some`,
        { queued: waiting.sender, limit: share(room) },
      );
    }
  }

  private room(recipient: number, priority: Priority): number {
    const limit = this.directory.byId(recipient)?.inbox_limit ?? LIMITS.inbox;
    return priority === 'low' ? share(limit) : limit;
  }
}

/** Whether a list of allowed recipients has this name; an empty one has all, and the manager is in each (PRODUCT 1.8). */
function isAllowed(allowed: readonly string[], name: string): boolean {
  return allowed.length === 0 || name === MANAGER || allowed.includes(name);
}

/** What one sender may have of `whole`, and `low` messages of an inbox (P19). */
function share(whole: number): number {
  return Math.max(1, Math.floor(whole * LIMITS.inbox_share_of_one_sender));
}
