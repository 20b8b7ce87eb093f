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

  /** All unanswered results, oldest turn first. A file that holds anything else is put aside (`.bad`) and named in the log. */
  unanswered(): StoredEnd[] {
    const ends: StoredEnd[] = [];
    for (const name of fs.readdirSync(this.folder).filter((entry) => entry.endsWith('.json'))) {
      const file = path.join(this.folder, name);
      try {
        const stored: unknown = JSON.parse(fs.readFileSync(file, 'utf8'));
        if (!isStoredEnd(stored) || name !== `${stored.turn_id}.json`) {
          throw new Error('it does not hold the result of the turn that it is named after');
        }
        ends.push(stored);
      } catch (error) {
        this.log.error('a stored result cannot be read; it is put aside', {
          file,
          reason: reasonOf(error),
        });
        fs.renameSync(file, `${file}.bad`);
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

/** As far as the harness itself relies on it; the hive checks the rest. */
function isStoredEnd(value: unknown): value is StoredEnd {
  if (!isObject(value)) return false;
  const { turn_id, end } = value;
  return typeof turn_id === 'string' && parseId('t', turn_id) !== undefined && isObject(end);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
