import { setImmediate as nextLoop } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';

import type { MessageRecord } from '../messages/message.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { pageOf } from './page.js';

/** Records of a page, newest first, and the id before which the next page begins; undefined at the end. */
export interface MessagePage {
  records: MessageRecord[];
  next: number | undefined;
}

/** Messages looked at in one statement: about 10 ms of the thread. */
const SCAN_STEP = 2000;
/** Messages looked at for one page; past it the page is short and says where to go on. */
const SCAN_MOST = 50_000;

/**
 * Pages of messages on the read-only connection. There is no index by sender or recipient, which would cost every send
 * more than these reads are worth; a page of one agent looks back through the messages in bounded steps.
 */
@Injectable()
export class MessagePages {
  private readonly all;
  private readonly root;
  private readonly replies;
  private readonly ofAgent;
  private readonly inbox;
  private readonly lowest;

  constructor(threads: ThreadsDb) {
    const db = threads.reader;
    this.all = db.prepare<[number, number], MessageRecord>(
      'SELECT * FROM messages WHERE id < ? ORDER BY id DESC LIMIT ?',
    );
    this.root = db.prepare<[number, number], MessageRecord>(
      'SELECT * FROM messages WHERE id = ? AND id < ?',
    );
    this.replies = db.prepare<[number, number, number], MessageRecord>(
      'SELECT * FROM messages WHERE thread = ? AND id < ? ORDER BY id DESC LIMIT ?',
    );
    this.ofAgent = db.prepare<Scan, MessageRecord>(
      `SELECT * FROM messages AS m WHERE id < @before AND id >= @from
         AND (from_agent = @agent OR EXISTS (
           SELECT 1 FROM deliveries WHERE message = m.id AND recipient = @agent))
       ORDER BY id DESC LIMIT @limit`,
    );
    this.inbox = db.prepare<Scan, MessageRecord>(
      `SELECT m.* FROM deliveries AS d CROSS JOIN messages AS m ON m.id = d.message
       WHERE d.message < @before AND d.message >= @from AND d.recipient = @agent
       ORDER BY d.message DESC LIMIT @limit`,
    );
    this.lowest = db.prepare<[], number | null>('SELECT min(id) FROM messages').pluck();
  }

  newest(before: number, limit: number): MessagePage {
    return cut(this.all.all(before, limit + 1), limit);
  }

  ofThread(root: number, before: number, limit: number): MessagePage {
    const records = this.replies.all(root, before, limit + 1);
    if (records.length <= limit) records.push(...this.root.all(root, before));
    return cut(records, limit);
  }

  /** Messages that the agent (incarnation, 0 the operator) sent or was sent. */
  withAgent(agent: number, before: number, limit: number): Promise<MessagePage> {
    return this.scan((step) => this.ofAgent.all({ agent, ...step }), before, limit);
  }

  /** Messages that the agent was sent. */
  toAgent(agent: number, before: number, limit: number): Promise<MessagePage> {
    return this.scan((step) => this.inbox.all({ agent, ...step }), before, limit);
  }

  private async scan(
    read: (step: Omit<Scan, 'agent'>) => MessageRecord[],
    before: number,
    limit: number,
  ): Promise<MessagePage> {
    const records: MessageRecord[] = [];
    const lowest = this.lowest.get() ?? 0;
    let upper = Math.min(before, (this.all.get(before, 1)?.id ?? 0) + 1);
    const end = Math.max(lowest, upper - SCAN_MOST);
    while (upper > end && records.length <= limit) {
      const from = Math.max(end, upper - SCAN_STEP);
      records.push(...read({ before: upper, from, limit: limit + 1 - records.length }));
      upper = from;
      await nextLoop();
    }
    const page = cut(records, limit);
    return page.next === undefined && upper > lowest ? { ...page, next: upper } : page;
  }
}

interface Scan {
  agent: number;
  before: number;
  from: number;
  limit: number;
}

/** At most `limit` of the records; one more than that tells that there is a next page. */
function cut(records: MessageRecord[], limit: number): MessagePage {
  const { page, last } = pageOf(records, limit);
  return { records: page, next: last?.id };
}
