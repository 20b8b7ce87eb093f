import path from 'node:path';

import { openDatabase, type Db } from '#libs/store';

import type { Search } from './search-messages.js';
import { isBroken, openSearchDb, removeSearchDb } from './search.db.js';

/** Messages of one step: some ten milliseconds. */
const BATCH = 200;

/** What one step did. */
export interface IndexStep {
  /** There may be more to do. */
  more: boolean;
  /** Set when the index forgot what table `forgotten` names up to this row, and that is on disk. */
  forgot?: number;
}

/**
 * The full-text index of messages (PRODUCT 1.9): owns search.db and reads threads.db, which it never writes. It follows
 * the message ids: a cursor says up to which of them it has all. One at a time, in whichever thread.
 */
export class SearchIndex {
  private readonly threads: Db;
  private readonly db: Db;
  private readonly statements;
  private cursor: number;
  private forgotten: number;

  /** `dbDir` holds threads.db, and gets search.db. */
  constructor(private readonly dbDir: string) {
    this.threads = openDatabase({
      path: path.join(dbDir, 'threads.db'),
      synchronous: 'FULL',
      readonly: true,
    });
    let db = openSearchDb(dbDir);
    if (cursorIn(db, 'cursor') > lastIdEver(this.threads)) {
      // It was made of another threads.db: one that was put back from a copy, or begun anew.
      db.close();
      removeSearchDb(dbDir);
      db = openSearchDb(dbDir);
    }
    this.db = db;
    this.cursor = cursorIn(db, 'cursor');
    this.forgotten = cursorIn(db, 'forgotten');
    this.statements = prepare(db, this.threads);
  }

  /** Highest message id that is committed now; 0 when there is none. */
  newest(): number {
    return this.statements.newest.get() ?? 0;
  }

  /** Whether it has every message up to this id. */
  has(message: number): boolean {
    return this.cursor >= message;
  }

  /** Takes in some messages, and forgets some that retention removed. Throws when search.db is broken; see `discard`. */
  step(): IndexStep {
    const messages = this.statements.after.all(this.cursor, BATCH);
    // Read after them: what retention removed meanwhile is in it.
    const removed = this.statements.forgotten.get(this.forgotten);
    const last = messages.at(-1)?.id ?? this.cursor;
    if (messages.length > 0 || removed) {
      this.db.transaction(() => {
        for (const message of messages) {
          this.statements.add.run(message.id, message.body, partiesOf(message));
        }
        for (const id of removed ? (JSON.parse(removed.messages) as number[]) : [])
          this.statements.remove.run(id);
        this.statements.put.run('cursor', last);
        if (removed) this.statements.put.run('forgotten', removed.id);
      })();
    }
    this.cursor = last;
    const step: IndexStep = { more: messages.length === BATCH || removed !== undefined };
    if (removed) {
      this.forgotten = removed.id;
      // A commit may still be lost to a power loss, a checkpoint not.
      this.db.pragma('wal_checkpoint(TRUNCATE)');
      step.forgot = removed.id;
    }
    return step;
  }

  /** Ids of the messages, newest first. */
  find({ match, agent, before = Number.MAX_SAFE_INTEGER, limit }: Search): number[] {
    const bodies = `body : (${match})`;
    const all = agent === undefined ? bodies : `parties : "a${agent}" AND ${bodies}`;
    return this.statements.search.all(all, before, limit);
  }

  /** After this error: search.db is removed when it was the cause, to be made anew by the next index. */
  discard(error: unknown): void {
    this.close();
    if (isBroken(error)) removeSearchDb(this.dbDir);
  }

  close(): void {
    this.db.close();
    this.threads.close();
  }
}

interface IndexedMessage {
  id: number;
  from_agent: number;
  body: string;
  /** Incarnations, separated by commas. */
  delivered: string | null;
  /** Those of a broadcast whose deliveries are still to be written. */
  frozen: string | null;
}

function prepare(db: Db, threads: Db) {
  return {
    newest: threads.prepare<[], number | null>('SELECT max(id) FROM messages').pluck(),
    after: threads.prepare<[number, number], IndexedMessage>(
      `SELECT m.id, m.from_agent, m.body,
         (SELECT group_concat(recipient) FROM deliveries WHERE message = m.id) AS delivered,
         (SELECT group_concat(r.value) FROM broadcast_chunks AS c, json_each(c.recipients) AS r
          WHERE c.message = m.id) AS frozen
       FROM messages AS m WHERE m.id > +? ORDER BY m.id LIMIT +?`,
    ),
    forgotten: threads.prepare<[number], { id: number; messages: string }>(
      'SELECT id, messages FROM forgotten WHERE id > +? ORDER BY id LIMIT 1',
    ),
    add: db.prepare<[number, string, string]>(
      'INSERT INTO words (rowid, body, parties) VALUES (?, ?, ?)',
    ),
    remove: db.prepare<[number]>('DELETE FROM words WHERE rowid = ?'),
    put: db.prepare<[string, number]>('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)'),
    search: db
      .prepare<[string, number, number], number>(
        'SELECT rowid FROM words WHERE words MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?',
      )
      .pluck(),
  };
}

function partiesOf({ from_agent, delivered, frozen }: IndexedMessage): string {
  const recipients = [delivered, frozen].flatMap((list) => list?.split(',') ?? []);
  return [...new Set([String(from_agent), ...recipients])].map((id) => `a${id}`).join(' ');
}

function cursorIn(db: Db, key: 'cursor' | 'forgotten'): number {
  const read = db.prepare<[string], number>('SELECT value FROM meta WHERE key = ?').pluck();
  return read.get(key) ?? 0;
}

/** Highest id that a message ever had, removed ones included. */
function lastIdEver(threads: Db): number {
  const read = threads
    .prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'messages'")
    .pluck();
  return read.get() ?? 0;
}
