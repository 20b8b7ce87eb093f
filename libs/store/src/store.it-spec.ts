import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../test/requirements/verifies.js';
import {
  GroupCommit,
  migrate,
  NewerSchemaError,
  openDatabase,
  StoreInUseError,
  takeWriterLock,
  type Db,
  type GroupCommitOptions,
} from './index.js';

let dir: string;
let file: string;
let db: Db;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'hive-store-'));
  file = path.join(dir, 'test.db');
  db = openDatabase({ path: file, synchronous: 'FULL' });
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true, force: true });
});

const insert = (value: number | string) =>
  db.prepare('INSERT INTO t (x) VALUES (?)').run(value).changes;
const stored = () => db.prepare('SELECT x FROM t ORDER BY x').pluck().all();

describe(verifies('1.1') + 'openDatabase', () => {
  it('has the asked durability in force, which better-sqlite3 would not have by itself', () => {
    expect(db.pragma('synchronous', { simple: true })).toBe(2);
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    const plain = new Database(file);
    plain.prepare('SELECT * FROM sqlite_schema').all();
    expect(plain.pragma('synchronous', { simple: true })).toBe(1);
    plain.close();
    const telemetry = openDatabase({ path: path.join(dir, 'other.db'), synchronous: 'NORMAL' });
    expect(telemetry.pragma('synchronous', { simple: true })).toBe(1);
    telemetry.close();
  });
});

describe(verifies('8.5') + 'the writer lock', () => {
  it('keeps a second process out and names the first, until that one ends', () => {
    const lock = takeWriterLock(file, 'the first');
    expect(() => takeWriterLock(file, 'the second')).toThrow(StoreInUseError);
    expect(() => takeWriterLock(file, 'the second')).toThrow(`the first (process ${process.pid})`);
    lock.release();
    takeWriterLock(file, 'the third').release();
  });

  it('is free again after its holder was killed', () => {
    const holder = spawnSync(process.execPath, [
      '--input-type=module',
      '-e',
      `import Database from 'better-sqlite3';
       const lock = new Database(${JSON.stringify(`${file}.lock`)});
       lock.exec('BEGIN EXCLUSIVE');
       process.kill(process.pid, 'SIGKILL');`,
    ]);
    expect(holder.signal).toBe('SIGKILL');
    takeWriterLock(file, 'the next').release();
  });
});

describe(verifies('3.5') + 'migrate', () => {
  const first = { version: 1, name: 'one', sql: 'CREATE TABLE a (x); INSERT INTO a VALUES (1)' };
  const second = { version: 2, name: 'two', sql: 'ALTER TABLE a ADD COLUMN y' };

  it('brings any earlier schema forward, and may run twice', () => {
    migrate(db, [first]);
    migrate(db, [first, second]);
    migrate(db, [first, second]);
    expect(db.prepare('SELECT * FROM a').all()).toEqual([{ x: 1, y: null }]);
  });

  it('leaves nothing of a step that fails', () => {
    const broken = { version: 2, name: 'broken', sql: 'CREATE TABLE b (x); nonsense' };
    expect(() => migrate(db, [first, broken])).toThrow('syntax error');
    expect(db.pragma('user_version', { simple: true })).toBe(1);
    expect(db.prepare("SELECT name FROM sqlite_schema WHERE name = 'b'").all()).toEqual([]);
    migrate(db, [first, second]);
  });

  it('refuses a database of a newer program', () => {
    migrate(db, [first, second]);
    expect(() => migrate(db, [first])).toThrow(NewerSchemaError);
  });
});

describe(verifies('1.1', 'P11') + 'a group commit', () => {
  let commits: number;

  const open = (options: Partial<GroupCommitOptions> = {}) => {
    db.exec('CREATE TABLE IF NOT EXISTS t (x UNIQUE)');
    commits = 0;
    return new GroupCommit({
      db,
      onUnknownOutcome: () => {},
      faults: {
        afterCommit: () => {
          commits += 1;
        },
      },
      ...options,
    });
  };

  it('makes one transaction of all that arrives in one turn of the event loop, up to its bound', async () => {
    const writer = open({ maxBatch: 10 });
    await Promise.all(Array.from({ length: 25 }, (_, n) => writer.submit(() => insert(n))));
    expect(commits).toBe(3);
    expect(stored()).toHaveLength(25);
  });

  it('answers after the commit, never before', async () => {
    const seen: string[] = [];
    const writer = open({ faults: { afterCommit: () => void seen.push('commit') } });
    const answered = writer.submit(() => insert(1)).then(() => seen.push('answer'));
    await answered;
    expect(seen).toEqual(['commit', 'answer']);
  });

  it('refuses alone a request that throws before it writes', async () => {
    const writer = open();
    const outcomes = await Promise.allSettled([
      writer.submit(() => insert(1)),
      writer.submit(() => {
        throw new Error('refused');
      }),
      writer.submit(() => insert(2)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect([stored(), commits]).toEqual([[1, 2], 1]);
  });

  it('lets the others stand when one breaks after writing (EXECUTIONS H16)', async () => {
    let restored = 0;
    const writer = open({ onRollback: () => (restored += 1) });
    const outcomes = await Promise.allSettled([
      writer.submit(() => insert(1)),
      writer.submit(() => insert(2) + insert(2)),
      writer.submit(() => insert(3)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect([stored(), commits, restored]).toEqual([[1, 3], 2, 2]);
  });

  it('settles inside the transaction, and runs effects only once it is on disk', async () => {
    const seen: unknown[] = [];
    const writer: GroupCommit = open({
      settle: () => {
        insert('settled');
        writer.afterCommit(() => seen.push(stored()));
      },
    });
    await writer.submit(() => insert(1));
    expect(seen).toEqual([[1, 'settled']]);
    expect(commits).toBe(1);
  });

  it('lets lazy requests ride on the next one, in their place', async () => {
    const writer = open({ maxBatch: 1 });
    const order: string[] = [];
    const lazy = writer.submitLazily(() => order.push('lazy'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([]);
    await writer.submit(() => order.push('eager'));
    await lazy;
    expect([order, commits]).toEqual([['lazy', 'eager'], 1]);
    const alone = writer.submitLazily(() => order.push('flushed'));
    writer.flushSoon();
    await alone;
    expect(order).toHaveLength(3);
  });

  it('says that the outcome is unknown when the commit fails, and takes nothing more', async () => {
    db.exec(`CREATE TABLE parent (id INTEGER PRIMARY KEY);
             CREATE TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED)`);
    let told: unknown;
    const writer = open({ onUnknownOutcome: (error) => (told = error) });
    const failing = writer.submit(() => db.exec('INSERT INTO child VALUES (1)'));
    await expect(failing).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(told).toMatchObject({ code: 'SQLITE_CONSTRAINT_FOREIGNKEY' });
    let later = false;
    void writer.submit(() => insert(1)).then(() => (later = true));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(later).toBe(false);
  });

  it('says that nothing was stored when the disk is full before the commit', async () => {
    const writer = open();
    db.pragma('max_page_count = 3');
    const failing = writer.submit(() => insert('x'.repeat(100_000)));
    await expect(failing).rejects.toMatchObject({ code: 'unavailable' });
    db.pragma('max_page_count = 1000');
    await expect(writer.submit(() => insert(1))).resolves.toBe(1);
  });

  it.each(['beforeCommit', 'afterCommit'] as const)(
    'that crashes %s answers nobody, then or later',
    async (point) => {
      const writer = open({
        faults: {
          [point]: () => {
            throw new Error('crash');
          },
        },
      });
      let answered = false;
      void writer.submit(() => insert(1)).finally(() => (answered = true));
      await new Promise((resolve) => setTimeout(resolve, 10));
      void writer.submit(() => insert(2)).finally(() => (answered = true));
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(answered).toBe(false);
      expect(stored()).toEqual(point === 'beforeCommit' ? [] : [1]);
    },
  );
});
