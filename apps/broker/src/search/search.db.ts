import { rmSync } from 'node:fs';
import path from 'node:path';

import { migrate, openDatabase, type Db, type Migration } from '#libs/store';

/**
 * Schema of search.db: the words of every message, made of threads.db and made anew when it is missing or broken. It
 * holds no text, only which words are in which message; `parties` has a token `a<incarnation>` for the sender and each
 * recipient, so that a search of one agent is bounded by the index itself (P34).
 */
const SEARCH_MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'words of messages',
    sql: `
      CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE VIRTUAL TABLE words USING fts5(
        body, parties, content = '', contentless_delete = 1, prefix = '2 3',
        tokenize = 'unicode61 remove_diacritics 2'
      );
    `,
  },
];

/** Opens search.db in this folder; one that cannot be read is replaced by an empty one. */
export function openSearchDb(dbDir: string): Db {
  try {
    return open(dbDir);
  } catch (error) {
    if (!isBroken(error)) throw error;
    removeSearchDb(dbDir);
    return open(dbDir);
  }
}

/** Removes search.db and what belongs to it; nobody may have it open. */
export function removeSearchDb(dbDir: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(fileOf(dbDir) + end, { force: true });
}

/** Whether the error says that the file is not, or no longer, a database with this schema. */
export function isBroken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return /^SQLITE_(CORRUPT|NOTADB)/.test(code) || error.name === 'NewerSchemaError';
}

function open(dbDir: string): Db {
  // It may be behind after a power loss, never wrong: the cursor is in it.
  const db = openDatabase({ path: fileOf(dbDir), synchronous: 'NORMAL' });
  try {
    migrate(db, SEARCH_MIGRATIONS);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

function fileOf(dbDir: string): string {
  return path.join(dbDir, 'search.db');
}
