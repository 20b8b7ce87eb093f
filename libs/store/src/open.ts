import Database from 'better-sqlite3';

export type { Database };
export type Db = Database.Database;

export interface OpenOptions {
  path: string;
  /** FULL: a commit that returned survives power loss. NORMAL: it survives a crash of the process. */
  synchronous: 'FULL' | 'NORMAL';
  readonly?: boolean;
}

/** Opens a SQLite database in WAL mode and proves that the asked durability is in force. */
export function openDatabase({ path, synchronous, readonly = false }: OpenOptions): Db {
  const db = new Database(path, { readonly });
  if (!readonly) db.pragma('journal_mode = WAL');
  // better-sqlite3 is built with DEFAULT_WAL_SYNCHRONOUS=1: without this line FULL is silently NORMAL.
  db.pragma(`synchronous = ${synchronous}`);
  db.pragma('foreign_keys = ON');
  db.pragma('busy_timeout = 5000');
  const inForce = db.pragma('synchronous', { simple: true });
  if (inForce !== (synchronous === 'FULL' ? 2 : 1)) {
    db.close();
    throw new Error(`${path}: synchronous is ${String(inForce)}, ${synchronous} was asked for`);
  }
  return db;
}
