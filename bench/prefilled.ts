import { mkdirSync } from 'node:fs';
import path from 'node:path';

import { migrate, openDatabase } from '#libs/store';

import { openSearchDb } from '../apps/broker/src/search/search.db.js';
import { THREADS_MIGRATIONS } from '../apps/broker/src/storage/threads.migrations.js';

/** Rows of one transaction. */
const BATCH = 20_000;

/**
 * Makes the broker's database with `messages` read messages between agents 1 to `agents`. Their bodies
 * may be empty where what is measured writes new pages, and old bodies are not touched.
 */
export function makeFilledDatabase(
  dbDir: string,
  messages: number,
  agents: number,
  bodyBytes = 0,
): void {
  const body = 'x'.repeat(bodyBytes);
  mkdirSync(dbDir, { recursive: true });
  const db = openDatabase({ path: path.join(dbDir, 'threads.db'), synchronous: 'NORMAL' });
  migrate(db, THREADS_MIGRATIONS);
  const message = db.prepare(`
    INSERT INTO messages (thread, in_reply_to, from_agent, from_name, from_kind, to_names, kind, event, priority,
      broadcast, hop, may_repeat, cause_turn, cause_message, sent_at, body)
    VALUES (?, NULL, ?, ?, 'agent', ?, 'message', NULL, 'normal', 0, 0, 0, NULL, NULL, ?, ?)`);
  const delivery = db.prepare(`
    INSERT INTO deliveries (message, recipient, state, priority, sender, limited, eager, hand_outs, since)
    VALUES (?, ?, 'acked', 1, ?, 1, 0, 1, ?)`);
  const fill = db.transaction((from: number) => {
    for (let id = from; id < Math.min(from + BATCH, messages + 1); id++) {
      const sender = (id % agents) + 1;
      const recipient = ((id * 31) % agents) + 1;
      // Every second message is a reply in one of many threads.
      const thread = id % 2 === 0 && id > 1000 ? (id * 7919) % (id - 1) || 1 : null;
      message.run(thread, sender, `a${sender}`, `a${recipient}`, id, body);
      delivery.run(id, recipient, sender, id);
    }
  });
  for (let from = 1; from <= messages; from += BATCH) fill(from);
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  // As long after they were sent: the index has them all, and does not take its time from what is measured.
  const search = openSearchDb(dbDir);
  search.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('cursor', ?)").run(messages);
  search.close();
}

/** Reminders that are stored before the broker starts. */
export interface FilledReminders {
  count: number;
  /** Owned in turn by agents 1 to `owners`. */
  owners: number;
  /** Milliseconds since 1970. */
  dueAt: (n: number) => number;
}

/** Makes the broker's database with pending reminders. */
export function fillReminders(dbDir: string, { count, owners, dueAt }: FilledReminders): void {
  mkdirSync(dbDir, { recursive: true });
  const db = openDatabase({ path: path.join(dbDir, 'threads.db'), synchronous: 'NORMAL' });
  migrate(db, THREADS_MIGRATIONS);
  const insert = db.prepare(`
    INSERT INTO reminders (owner, message, hop, state, due_at, next_attempt_at, created_at)
    VALUES (?, 'look again', 0, 'pending', ?, ?, ?)`);
  db.transaction(() => {
    const now = Date.now();
    for (let n = 0; n < count; n++) {
      const due = dueAt(n);
      insert.run((n % owners) + 1, due, due, now);
    }
  }).immediate();
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
}
