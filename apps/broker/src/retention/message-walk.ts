import { Injectable } from '@nestjs/common';

import type { Db } from '#libs/store';

import { DeliveriesRepository } from '../deliveries/deliveries.repository.js';
import { MessagesRepository } from '../messages/messages.repository.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { ForgottenRepository } from './forgotten.repository.js';
import type { RetentionWalk, WalkStep } from './retention-walk.js';

/** Messages that one step looks at. */
export const MESSAGES_PER_STEP = 500;
/** Deliveries after which a step ends: a broadcast has as many as the hive has agents. */
export const DELIVERIES_PER_STEP = 2000;

/** Statements of the walk; each finds its rows by an index, whatever the size of the tables. */
export const MESSAGE_WALK_SQL = {
  cursor: `SELECT value FROM meta WHERE key = 'retention_cursor'`,
  putCursor: `INSERT OR REPLACE INTO meta (key, value) VALUES ('retention_cursor', ?)`,
  page: 'SELECT id, sent_at FROM messages WHERE id > +? ORDER BY id LIMIT +?',
  deliveries: `SELECT count(*) AS rows, total(state NOT IN ('acked', 'cancelled')) AS unfinished
    FROM deliveries WHERE message = +?`,
  openChunk: 'SELECT 1 FROM broadcast_chunks WHERE message = +? LIMIT 1',
  openQuestion: `SELECT 1 FROM questions WHERE state = 'open' AND asked_message = +? LIMIT 1`,
} as const;

/**
 * Messages past their term (PRODUCT 1.10). Goes by message id; its cursor is a row, so that messages which are old and
 * have to stay do not hold up those behind them, and begins anew when it comes to young ones.
 */
@Injectable()
export class MessageWalk implements RetentionWalk {
  private readonly sql;

  constructor(
    { db }: ThreadsDb,
    private readonly messages: MessagesRepository,
    private readonly deliveries: DeliveriesRepository,
    private readonly forgotten: ForgottenRepository,
  ) {
    this.sql = prepare(db);
  }

  step(horizon: number): WalkStep {
    const start = this.sql.cursor.get() ?? 0;
    const page = this.sql.page.all(start, MESSAGES_PER_STEP);
    const removed: number[] = [];
    let looked = 0;
    let old = 0;
    let seen = 0;
    for (const { id, sent_at } of page) {
      if (looked >= DELIVERIES_PER_STEP) break;
      seen += 1;
      if (sent_at > horizon) continue;
      old += 1;
      const of = this.sql.deliveries.get(id);
      looked += of?.rows ?? 0;
      if (of?.unfinished === 0 && !this.isHeld(id)) removed.push(id);
    }
    for (const id of removed) {
      this.deliveries.removeOf(id);
      this.messages.remove(id);
    }
    if (removed.length > 0) this.forgotten.add(removed);
    // A whole page of young ones, not one: the clock may have been ahead for a while.
    const done = seen === page.length && (page.length < MESSAGES_PER_STEP || old === 0);
    const cursor = done ? 0 : (page[seen - 1]?.id ?? 0);
    if (cursor !== start) this.sql.putCursor.run(cursor);
    return { removed: removed.length, done };
  }

  /** What is still to be delivered or answered stays, whatever its deliveries say. */
  private isHeld(id: number): boolean {
    return this.sql.openChunk.get(id) !== undefined || this.sql.openQuestion.get(id) !== undefined;
  }
}

function prepare(db: Db) {
  return {
    cursor: db.prepare<[], number>(MESSAGE_WALK_SQL.cursor).pluck(),
    putCursor: db.prepare<[number]>(MESSAGE_WALK_SQL.putCursor),
    page: db.prepare<[number, number], { id: number; sent_at: number }>(MESSAGE_WALK_SQL.page),
    deliveries: db.prepare<[number], { rows: number; unfinished: number }>(
      MESSAGE_WALK_SQL.deliveries,
    ),
    openChunk: db.prepare<[number], 1>(MESSAGE_WALK_SQL.openChunk).pluck(),
    openQuestion: db.prepare<[number], 1>(MESSAGE_WALK_SQL.openQuestion).pluck(),
  };
}
