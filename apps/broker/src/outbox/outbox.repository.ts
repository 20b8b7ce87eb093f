import { Injectable } from '@nestjs/common';

import type { Db } from '#libs/store';

import { ThreadsDb } from '../storage/threads.db.js';
import type { ChangeSet, OutboxRow } from './change-set.js';

/** Rows of the outbox: written with the facts, read and removed by whoever relays them. */
@Injectable()
export class OutboxRepository {
  private readonly insertRow;
  private readonly rowsAfter;
  private readonly deleteThrough;
  private readonly countRows;

  constructor(threads: ThreadsDb) {
    const { db } = threads;
    this.insertRow = db.prepare<[string]>('INSERT INTO outbox (changes) VALUES (?)');
    this.rowsAfter = db.prepare<[number, number], { id: number; changes: string }>(
      'SELECT id, changes FROM outbox WHERE id > +? ORDER BY id LIMIT +?',
    );
    this.deleteThrough = db.prepare<[number]>('DELETE FROM outbox WHERE id <= ?');
    this.countRows = db.prepare<[], number>('SELECT count(*) FROM outbox').pluck();
  }

  /** Inside a transaction. Returns the row's id. */
  insert(changes: ChangeSet): number {
    return Number(this.insertRow.run(JSON.stringify(changes)).lastInsertRowid);
  }

  /** At most `limit` rows after `id`, oldest first. */
  after(id: number, limit: number): OutboxRow[] {
    return this.rowsAfter
      .all(id, limit)
      .map((row) => ({ id: row.id, changes: JSON.parse(row.changes) as ChangeSet }));
  }

  /** Inside a transaction: removes the rows up to and with `id`. */
  removeThrough(id: number): number {
    return this.deleteThrough.run(id).changes;
  }

  /** How many rows wait. */
  count(): number {
    return this.countRows.get() ?? 0;
  }
}

/** The `version` of rows that are read now over `db`: the id of the newest outbox row ever written (P38). */
export function readVersion(db: Db): number {
  return (
    (db.prepare(`SELECT seq FROM sqlite_sequence WHERE name = 'outbox'`).pluck().get() as
      | number
      | undefined) ?? 0
  );
}
