import { Injectable } from '@nestjs/common';

import { ThreadsDb } from '../storage/threads.db.js';

/** The version of the broker's rows: the number of the newest outbox row ever written (P38). */
@Injectable()
export class RowVersion {
  private readonly newest;

  constructor({ db }: ThreadsDb) {
    this.newest = db
      .prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'")
      .pluck();
  }

  /** Of rows that are read in this turn of the event loop. */
  now(): number {
    return this.newest.get() ?? 0;
  }
}
