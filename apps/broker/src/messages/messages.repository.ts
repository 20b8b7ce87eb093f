import { Injectable } from '@nestjs/common';

import { LIMITS } from '#libs/protocol';

import { ThreadsDb } from '../storage/threads.db.js';
import { Writer } from '../storage/writer.service.js';
import type { MessageRecord, NewMessage } from './message.js';

/** Messages of a thread that one read looks at, newest first: bounds the time it may hold the writer. */
const THREAD_SCAN = 5000;

/** Newest messages kept in memory: each is read again to hand it out and to tell the event stream, within moments. */
const RECENT = 1024;

/** Rows of `messages`. Writes only from inside a request. */
@Injectable()
export class MessagesRepository {
  private readonly insertRow;
  private readonly selectOne;
  private readonly received;
  private readonly threadRows;
  private readonly newest;
  private readonly setHop;
  private readonly deleteRow;

  private readonly recent = new Map<number, MessageRecord>();

  constructor({ db }: ThreadsDb, writer: Writer) {
    this.insertRow = db.prepare(
      `INSERT INTO messages (thread, in_reply_to, from_agent, from_name, from_kind, to_names, kind, event, priority,
         broadcast, hop, may_repeat, cause_turn, cause_message, sent_at, body, detail)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    // The ids of a transaction that is rolled back are given again to other messages.
    writer.onRollback(() => this.recent.clear());
    this.selectOne = db.prepare<[number], MessageRecord>('SELECT * FROM messages WHERE id = ?');
    this.received = db
      .prepare<[number, number], number>(
        'SELECT 1 FROM deliveries WHERE message = ? AND recipient = ? AND hand_outs > 0',
      )
      .pluck();
    this.newest = db.prepare<[], number | null>('SELECT max(id) FROM messages').pluck();
    this.setHop = db.prepare<[number, number]>('UPDATE messages SET hop = ? WHERE id = ?');
    this.deleteRow = db.prepare<[number]>('DELETE FROM messages WHERE id = +?');
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
    const { lastInsertRowid } = this.insertRow.run(
      message.thread,
      message.in_reply_to,
      message.from_agent,
      message.from_name,
      message.from_kind,
      message.to_names,
      message.kind,
      message.event,
      message.priority,
      message.broadcast,
      message.hop,
      message.may_repeat,
      message.cause_turn,
      message.cause_message,
      message.sent_at,
      message.body,
      message.detail,
    );
    const id = Number(lastInsertRowid);
    this.recent.set(id, { ...message, id });
    // Ids count up by one.
    this.recent.delete(id - RECENT);
    return id;
  }

  find(id: number): Readonly<MessageRecord> | undefined {
    return this.recent.get(id) ?? this.selectOne.get(id);
  }

  /** Highest id so far, 0 when there is none. */
  lastId(): number {
    return this.newest.get() ?? 0;
  }

  resetHop(id: number): void {
    this.setHop.run(0, id);
    this.recent.delete(id);
  }

  /** Its deliveries were removed before. */
  remove(id: number): void {
    this.deleteRow.run(id);
    this.recent.delete(id);
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
