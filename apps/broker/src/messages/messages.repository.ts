import { Injectable } from '@nestjs/common';

import { LIMITS } from '#libs/protocol';

import { ThreadsDb } from '../storage/threads.db.js';
import type { MessageRecord, NewMessage } from './message.js';

/** Messages of a thread that one read looks at, newest first: bounds the time it may hold the writer. */
const THREAD_SCAN = 5000;

/** Rows of `messages`. Writes only from inside a request. */
@Injectable()
export class MessagesRepository {
  private readonly insertRow;
  private readonly selectOne;
  private readonly received;
  private readonly threadRows;
  private readonly newest;
  private readonly setHop;

  constructor({ db }: ThreadsDb) {
    this.insertRow = db.prepare<NewMessage>(
      `INSERT INTO messages (thread, in_reply_to, from_agent, from_name, from_kind, to_names, kind, event, priority,
         broadcast, hop, may_repeat, cause_turn, cause_message, sent_at, body)
       VALUES (@thread, @in_reply_to, @from_agent, @from_name, @from_kind, @to_names, @kind, @event, @priority,
         @broadcast, @hop, @may_repeat, @cause_turn, @cause_message, @sent_at, @body)`,
    );
    this.selectOne = db.prepare<[number], MessageRecord>('SELECT * FROM messages WHERE id = ?');
    this.received = db
      .prepare<[number, number], number>(
        'SELECT 1 FROM deliveries WHERE message = ? AND recipient = ? AND hand_outs > 0',
      )
      .pluck();
    this.newest = db.prepare<[], number | null>('SELECT max(id) FROM messages').pluck();
    this.setHop = db.prepare<[number, number]>('UPDATE messages SET hop = ? WHERE id = ?');
    this.threadRows = db.prepare<
      { thread: number; agent: number; limit: number; scan: number },
      MessageRecord
    >(
      `SELECT * FROM (
         SELECT * FROM messages WHERE thread = +@thread ORDER BY id DESC LIMIT +@scan
       ) AS m
       WHERE m.from_agent = +@agent
          OR EXISTS (SELECT 1 FROM deliveries d WHERE d.message = m.id AND d.recipient = +@agent AND d.hand_outs > 0)
       ORDER BY m.id DESC LIMIT +@limit`,
    );
  }

  insert(message: NewMessage): number {
    return Number(this.insertRow.run(message).lastInsertRowid);
  }

  find(id: number): MessageRecord | undefined {
    return this.selectOne.get(id);
  }

  /** Highest id so far, 0 when there is none. */
  lastId(): number {
    return this.newest.get() ?? 0;
  }

  resetHop(id: number): void {
    this.setHop.run(0, id);
  }

  /** Whether the agent sent the message or was handed it (P34). */
  isPartOf(message: MessageRecord, agent: number): boolean {
    return message.from_agent === agent || this.received.get(message.id, agent) !== undefined;
  }

  /** The thread's messages that the agent sent or was handed, oldest first, the newest LIMITS.thread_messages of them. */
  threadOfAgent(root: number, agent: number): MessageRecord[] {
    const rows = this.threadRows.all({
      thread: root,
      agent,
      limit: LIMITS.thread_messages,
      scan: THREAD_SCAN,
    });
    const first = this.find(root);
    if (first && rows.length < LIMITS.thread_messages && this.isPartOf(first, agent)) {
      rows.push(first);
    }
    return rows.toReversed();
  }
}
