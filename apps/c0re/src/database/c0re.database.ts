import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';

import { migrate, openDatabase, takeWriterLock, type Db, type WriterLock } from '#libs/store';

import { MIGRATIONS } from './migrations.js';

/** c0re.db: opened once, with the lock that keeps a second c0re out (PRODUCT 8.5). */
export class C0reDatabase {
  readonly db: Db;
  /** Tells this hive's processes from those of other hives on the machine. */
  readonly hiveId: string;
  private readonly lock: WriterLock;

  /** @throws StoreInUseError when another c0re holds it, NewerSchemaError when a newer one wrote it. */
  constructor(file: string) {
    const folder = path.dirname(file);
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    chmodSync(folder, 0o700);
    this.lock = takeWriterLock(file, 'c0re');
    try {
      this.db = openDatabase({ path: file, synchronous: 'FULL' });
      migrate(this.db, MIGRATIONS);
    } catch (error) {
      this.lock.release();
      throw error;
    }
    this.db
      .prepare("INSERT OR IGNORE INTO meta (key, value) VALUES ('hive_id', ?)")
      .run(randomBytes(8).toString('hex'));
    this.hiveId = this.db
      .prepare("SELECT value FROM meta WHERE key = 'hive_id'")
      .pluck()
      .get() as string;
  }

  /** Runs `work` as one transaction, or as a part of the one that runs. */
  together<T>(work: () => T): T {
    return this.db.transaction(work).immediate();
  }

  close(): void {
    this.db.close();
    this.lock.release();
  }
}
