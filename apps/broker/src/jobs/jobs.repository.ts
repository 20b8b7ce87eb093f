import { Injectable } from '@nestjs/common';

import type { WantedJob } from '#libs/protocol';

import { ThreadsDb } from '../storage/threads.db.js';

/** Rows of `jobs`: what Redis has to learn, oldest first. Writes only from inside a request. */
@Injectable()
export class JobsRepository {
  private readonly insertRow;
  private readonly oldest;
  private readonly deleteThrough;
  private readonly ends;

  constructor({ db }: ThreadsDb) {
    this.insertRow = db.prepare<[string]>('INSERT INTO jobs (job) VALUES (?)');
    this.oldest = db.prepare<[number], { id: number; job: string }>(
      'SELECT id, job FROM jobs ORDER BY id LIMIT +?',
    );
    this.deleteThrough = db.prepare<[number]>('DELETE FROM jobs WHERE id <= ?');
    this.ends = db.prepare<[], { first: number | null; last: number | null }>(
      'SELECT (SELECT min(id) FROM jobs) AS first, (SELECT max(id) FROM jobs) AS last',
    );
  }

  /** Returns the row's id. */
  insert(job: WantedJob): number {
    return Number(this.insertRow.run(JSON.stringify(job)).lastInsertRowid);
  }

  /** The oldest rows, at most `limit`. */
  first(limit: number): { id: number; job: WantedJob }[] {
    return this.oldest.all(limit).map(({ id, job }) => ({ id, job: JSON.parse(job) as WantedJob }));
  }

  removeThrough(id: number): number {
    return this.deleteThrough.run(id).changes;
  }

  /** Ids of the oldest and the newest row; 0 when there is none. */
  range(): { first: number; last: number } {
    const { first, last } = this.ends.get() ?? { first: null, last: null };
    return { first: first ?? 0, last: last ?? 0 };
  }
}
