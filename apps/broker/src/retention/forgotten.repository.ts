import { Injectable } from '@nestjs/common';

import { ThreadsDb } from '../storage/threads.db.js';

/** Rows of `forgotten`: messages that were removed and the search index has still to forget. Writes inside requests. */
@Injectable()
export class ForgottenRepository {
  private readonly insertRow;
  private readonly deleteThrough;

  constructor({ db }: ThreadsDb) {
    this.insertRow = db.prepare<[string]>('INSERT INTO forgotten (messages) VALUES (?)');
    this.deleteThrough = db.prepare<[number]>('DELETE FROM forgotten WHERE id <= ?');
  }

  add(messages: readonly number[]): void {
    this.insertRow.run(JSON.stringify(messages));
  }

  /** The index has forgotten them. */
  removeThrough(id: number): void {
    this.deleteThrough.run(id);
  }
}
