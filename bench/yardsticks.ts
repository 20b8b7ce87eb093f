import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { newRequestId } from '#libs/ipc';
import { openDatabase, type Db } from '#libs/store';

/** The message of every measurement: 1 KiB, as PERFORMANCE counts. */
export const BODY = 'The quick brown fox jumps over the lazy dog. 0123456789 abcdef. '.repeat(16);
/** Rows of one commit of yardstick G. */
const BATCH = 128;
/** Commits before each measurement that bring the disk and the JIT to speed. */
const WARM_UP_COMMITS = 10;
/** Rows of one transaction that fills a table before the measurement. */
const FILL_BATCH = 10_000;

const FULL_INDEXES = `
  CREATE UNIQUE INDEX m_uid ON m (uid);
  CREATE INDEX m_thread ON m (thread);
  CREATE INDEX m_sender ON m (sender, id);
  CREATE INDEX m_pending ON m (recipient, id) WHERE status = 0;`;
const LEAN_INDEXES = `
  CREATE UNIQUE INDEX m_uid ON m (uid);
  CREATE INDEX m_pending ON m (recipient, id) WHERE status = 0;`;

export interface YardstickOptions {
  /** Only the indexes that a lean schema needs: the id and what is pending. */
  lean?: boolean;
  /** Rows that are in the table before, with short bodies, none of them pending. */
  rows?: number;
}

/** Bare better-sqlite3 on a table of messages: what the machine gives without a broker. */
export class Yardstick {
  private readonly dir = mkdtempSync(path.join(tmpdir(), 'hive-yardstick-'));
  private readonly db: Db;
  private readonly insert;
  private single = 0;

  constructor({ lean = false, rows = 0 }: YardstickOptions = {}) {
    this.db = openDatabase({ path: path.join(this.dir, 'yardstick.db'), synchronous: 'FULL' });
    this.db
      .exec(`CREATE TABLE m (id INTEGER PRIMARY KEY, uid TEXT NOT NULL, thread INTEGER NOT NULL,
      sender INTEGER NOT NULL, recipient INTEGER NOT NULL, status INTEGER NOT NULL, sent_at INTEGER NOT NULL,
      body TEXT NOT NULL) STRICT; ${lean ? LEAN_INDEXES : FULL_INDEXES}`);
    fill(this.db, rows);
    this.insert = this.db.prepare(
      'INSERT INTO m (uid, thread, sender, recipient, status, sent_at, body) VALUES (?, ?, ?, ?, 0, ?, ?)',
    );
  }

  /** Messages per second in commits of 128 rows. */
  rate(commits: number): number {
    const ids = newIds((WARM_UP_COMMITS + commits) * BATCH);
    const commit = this.db.transaction((from: number) => {
      for (let i = from; i < from + BATCH; i++) this.store(i, ids[i]);
    });
    for (let i = 0; i < WARM_UP_COMMITS; i++) commit.immediate(i * BATCH);
    const start = performance.now();
    for (let i = 0; i < commits; i++) commit.immediate((WARM_UP_COMMITS + i) * BATCH);
    return (commits * BATCH * 1000) / (performance.now() - start);
  }

  /** Milliseconds of one durable commit of one row. */
  oneCommit(): number {
    this.single += 1;
    const id = newRequestId(Date.now());
    const start = performance.now();
    this.store(this.single, id);
    return performance.now() - start;
  }

  close(): void {
    this.db.close();
    rmSync(this.dir, { recursive: true, force: true });
  }

  private store(i: number, id: string | undefined): void {
    // A multiplier scatters threads as random ids would, and the same ones in each run.
    this.insert.run(id, (i * 7919) % 100_003, i % 128, (i * 31) % 128, Date.now(), BODY);
  }
}

/** Yardstick G: messages per second with four indexes in a new database. */
export function measureG(commits: number): number {
  const yardstick = new Yardstick();
  try {
    return yardstick.rate(commits);
  } finally {
    yardstick.close();
  }
}

function newIds(count: number): string[] {
  return Array.from({ length: count }, () => newRequestId(Date.now()));
}

function fill(db: Db, rows: number): void {
  if (rows === 0) return;
  const statement = db.prepare(
    'INSERT INTO m (uid, thread, sender, recipient, status, sent_at, body) VALUES (?, ?, ?, ?, 1, ?, ?)',
  );
  const batch = db.transaction((from: number) => {
    for (let i = from; i < Math.min(from + FILL_BATCH, rows); i++)
      statement.run(newRequestId(Date.now()), (i * 7919) % 100_003, i % 128, (i * 31) % 128, 0, '');
  });
  for (let from = 0; from < rows; from += FILL_BATCH) batch(from);
  db.pragma('wal_checkpoint(TRUNCATE)');
}
