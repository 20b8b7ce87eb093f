import { Injectable } from '@nestjs/common';

import type { DashboardAnswers, MessageRow, MessagesQuery } from '#libs/protocol';

import { BrokerLink } from '../services/broker.link.js';

/** Rows that are read at a time, and at most for one answer: the broker must stay free for its agents. */
const ROWS_PER_READ = 200;
const MOST_ROWS_READ = 4000;
const DEFAULT_PAGE = 50;

/** Looks for a text in message bodies, newest first. An answer may be short of its page and still have a `next`. */
@Injectable()
export class MessageSearch {
  constructor(private readonly broker: BrokerLink) {}

  async search(text: string, query: MessagesQuery): Promise<DashboardAnswers['messages']> {
    const wanted = text.toLocaleLowerCase('en');
    const page = query.limit ?? DEFAULT_PAGE;
    const found: MessageRow[] = [];
    let before = query.before;
    for (let read = 0; read < MOST_ROWS_READ; read += ROWS_PER_READ) {
      const { messages, next } = await this.broker.call('messages', {
        ...query,
        limit: ROWS_PER_READ,
        ...(before === undefined ? {} : { before }),
      });
      for (const message of messages) {
        if (!message.body.toLocaleLowerCase('en').includes(wanted)) continue;
        found.push(message);
        if (found.length === page) return { messages: found, next: message.id };
      }
      if (next === undefined) return { messages: found };
      before = next;
    }
    return { messages: found, ...(before === undefined ? {} : { next: before }) };
  }
}
