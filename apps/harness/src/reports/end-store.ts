import path from 'node:path';

import { parseId, type EndRequest } from '#libs/protocol';

import { removeDurably, writeDurably } from '../files/durable-file.js';
import { reasonOf, type Log } from '../logging/log.js';
import { fs } from '../platform/builtins.js';

export interface StoredEnd {
  turn_id: string;
  end: EndRequest;
}

/** Results of turns that the hive has not yet answered, on disk before they are sent (P6). */
export class EndStore {
  constructor(
    private readonly folder: string,
    private readonly log: Log,
  ) {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** Returns when the result survives a crash. A later result of the same turn replaces it. */
  save(turnId: string, end: EndRequest): void {
    writeDurably(this.file(turnId), JSON.stringify({ turn_id: turnId, end }));
  }

  /** All unanswered results, oldest turn first. A file that cannot be read is put aside and named in the log. */
  unanswered(): StoredEnd[] {
    const ends: StoredEnd[] = [];
    for (const name of fs.readdirSync(this.folder).filter((entry) => entry.endsWith('.json'))) {
      const file = path.join(this.folder, name);
      try {
        ends.push(JSON.parse(fs.readFileSync(file, 'utf8')) as StoredEnd);
      } catch (error) {
        this.log.error('a stored result cannot be read; it is put aside', {
          file,
          reason: reasonOf(error),
        });
        fs.renameSync(file, `${file}.unreadable`);
      }
    }
    const number = (end: StoredEnd) => parseId('t', end.turn_id) ?? 0;
    return ends.toSorted((one, other) => number(one) - number(other));
  }

  /** The hive answered: forget it. */
  remove(turnId: string): void {
    removeDurably(this.file(turnId));
  }

  /** The hive refused it for good: kept for people to look at, never sent again. */
  putAside(turnId: string): void {
    fs.renameSync(this.file(turnId), `${this.file(turnId)}.refused`);
  }

  private file(turnId: string): string {
    return path.join(this.folder, `${turnId}.json`);
  }
}
