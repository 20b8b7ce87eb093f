import { readFileSync, writeFileSync } from 'node:fs';

import Database from 'better-sqlite3';

/** Thrown when another process writes to the same store (PRODUCT 8.5). */
export class StoreInUseError extends Error {
  override readonly name = 'StoreInUseError';
  constructor(path: string, holder: string) {
    super(
      `${path} is in use by ${holder}: a second copy must not write to it. Stop the other one, or use another HIVE_HOME`,
    );
  }
}

/** Held until `release` or the end of the process, however it ends. */
export interface WriterLock {
  release(): void;
}

/**
 * Takes the single-writer lock of a store. The lock is SQLite's own on `<path>.lock`, which the operating system drops
 * when the process dies; `<path>.holder` only says who holds it.
 */
export function takeWriterLock(path: string, owner: string): WriterLock {
  const lock = new Database(`${path}.lock`, { timeout: 0 });
  try {
    lock.pragma('journal_mode = DELETE');
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY'))
      throw new StoreInUseError(path, readHolder(path));
    throw error;
  }
  writeFileSync(`${path}.holder`, `${owner} (process ${process.pid})`);
  return {
    release: () => {
      lock.exec('ROLLBACK');
      lock.close();
    },
  };
}

function readHolder(path: string): string {
  try {
    return readFileSync(`${path}.holder`, 'utf8');
  } catch {
    return 'another process';
  }
}
