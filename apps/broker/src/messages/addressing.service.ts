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
import { OPERATOR_ID } from '../registry/agent.js';
import { PRIORITY_RANK } from './message.js';
import type { Sender } from './sender.js';

/** A recipient that a message may go to. */
export interface Recipient {
  id: number;
  name: string;
  /** Peers' direct messages count towards the inbox limit (P19). */
  limited: boolean;
}

/** Turns the `to` of a send into a recipient, or says why it cannot be one. */
@Injectable()
export class Addressing {
  constructor(
    private readonly directory: AgentDirectory,
    private readonly counts: InboxCounts,
  ) {}

  /** Throws unless this sender may write to `to` now. */
  resolve(sender: Sender, to: string | readonly string[], priority: Priority): Recipient {
    if (typeof to !== 'string') {
      throw new HiveError(
        'not_available_yet',
        'a list of recipients is not available yet; send to one name at a time',
      );
    }
    if (to === BROADCAST) {
      throw new HiveError(
        'not_available_yet',
        'broadcasts ("*") are not available yet; send to one name at a time',
      );
    }
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
    if (allowed.length === 0 || to === MANAGER || allowed.includes(to)) return;
    throw new HiveError(
      'recipient_not_allowed',
      `you may not write to "${to}"; you may write to ${[...new Set([...allowed, MANAGER])].join(', ')}. Ask the manager to pass it on`,
      { allowed },
    );
  }

  private assertRoom(sender: Sender, recipient: Recipient, priority: Priority): void {
    const limit = this.directory.byId(recipient.id)?.inbox_limit ?? LIMITS.inbox;
    const room = priority === 'low' ? share(limit) : limit;
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
}

/** What one sender may have of `whole`, and `low` messages of an inbox (P19). */
function share(whole: number): number {
  return Math.max(1, Math.floor(whole * LIMITS.inbox_share_of_one_sender));
}
