import Database from 'better-sqlite3';

/** What is still to be done in the hive. */
export interface Unfinished {
  queued: number;
  leased: number;
  reminders: number;
  chunks: number;
}

/** Reads the broker's database beside the broker, which may be dead: each look opens and closes it. */
export class LedgerReader {
  constructor(private readonly file: string) {}

  /** Deliveries that wait for agents; 0 when it cannot be told now. */
  waiting(): number {
    return this.read((db) => count(db, WAITING), 0);
  }

  /** Undefined when it cannot be told now. */
  unfinished(): Unfinished | undefined {
    return this.read<Unfinished | undefined>(
      (db) => ({
        queued: count(db, WAITING),
        leased: count(db, `SELECT count(*) FROM deliveries WHERE state = 'leased'`),
        reminders: count(db, `SELECT count(*) FROM reminders WHERE state = 'pending'`),
        chunks: count(db, 'SELECT count(*) FROM broadcast_chunks'),
      }),
      undefined,
    );
  }

  private read<T>(look: (db: Database.Database) => T, otherwise: T): T {
    let db: Database.Database | undefined;
    try {
      db = new Database(this.file, { readonly: true, timeout: 500 });
      return look(db);
    } catch {
      return otherwise;
    } finally {
      db?.close();
    }
  }
}

/** Recipient 0 is the operator, whose messages wait until they are read. */
const WAITING = `SELECT count(*) FROM deliveries WHERE state = 'queued' AND recipient <> 0`;

function count(db: Database.Database, query: string): number {
  return db.prepare<[], number>(query).pluck().get() ?? 0;
}
