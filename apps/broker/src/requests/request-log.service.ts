import { Inject, Injectable } from '@nestjs/common';

import { HiveError, LIMITS } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { ThreadsDb } from '../storage/threads.db.js';

/** What a repeatable request was answered. */
export interface AnsweredRequest {
  id: string;
  method: string;
  caller: number;
  at: number;
  written: number;
  turn: number | null;
  session: string | null;
  /** JSON; its shape is the method's. */
  answer: string;
}

/** Rows are kept this many times as long as ids are taken, so that a clock set back cannot make an old id new. */
const KEPT_TERMS = 2;
/** Rows that one sweep removes at most. */
const SWEEP_ROWS = 1000;

/**
 * Remembers the answer of each repeatable request by its id (P11): a repeat after a lost answer changes nothing and is
 * answered the same. Ids are UUID v7, so an id that is too old to be remembered shows it.
 */
@Injectable()
export class RequestLog {
  private readonly selectOne;
  private readonly insertRow;
  private readonly setWritten;
  private readonly unwritten;
  private readonly deleteBelow;
  private readonly highestBelow;
  private readonly getFloor;
  private readonly setFloor;

  constructor(
    { db }: ThreadsDb,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.selectOne = db.prepare<[string], AnsweredRequest>('SELECT * FROM requests WHERE id = ?');
    this.insertRow = db.prepare<
      [string, string, number, number, number, number | null, string | null, string]
    >(
      `INSERT INTO requests (id, method, caller, at, written, turn, session, answer)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.setWritten = db.prepare<[string]>('UPDATE requests SET written = 1 WHERE id = ?');
    this.unwritten = db.prepare<[string, string], AnsweredRequest>(
      'SELECT * FROM requests WHERE id >= ? AND method = ? AND written = 0 ORDER BY id',
    );
    this.highestBelow = db
      .prepare<[string, number], string | null>(
        'SELECT max(id) FROM (SELECT id FROM requests WHERE id < +? ORDER BY id LIMIT +?)',
      )
      .pluck();
    this.deleteBelow = db.prepare<[string]>('DELETE FROM requests WHERE id <= ?');
    this.getFloor = db
      .prepare<[], string>(`SELECT value FROM meta WHERE key = 'requests_floor'`)
      .pluck();
    this.setFloor = db.prepare<[string]>(
      `INSERT INTO meta (key, value) VALUES ('requests_floor', ?)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
    );
  }

  /**
   * The stored answer when this is a repeat, undefined when it is new. Throws `conflict` when the id was another's, and
   * `request_expired` when it is too old to tell.
   */
  repeated(id: string, method: string, caller: number): AnsweredRequest | undefined {
    const found = this.selectOne.get(id);
    if (found) {
      if (found.method === method && found.caller === caller) return found;
      throw new HiveError(
        'conflict',
        'this request id was used for another request; make a new one for each',
      );
    }
    const oldest = idAt(this.clock.now() - LIMITS.request_id_seconds * 1000);
    if (id < oldest || id <= (this.getFloor.get() ?? '')) {
      throw new HiveError(
        'request_expired',
        `this request id is older than ${LIMITS.request_id_seconds / 3600} hours, so it cannot be told whether it was carried out; look, and send it with a new id if it was not`,
      );
    }
    return undefined;
  }

  now(): number {
    return this.clock.now();
  }

  /** Inside the request, with its effect. `written`: it does not matter whether the answer arrives. */
  remember(
    request: Pick<AnsweredRequest, 'id' | 'method' | 'caller' | 'turn' | 'session'>,
    answer: unknown,
    written = false,
  ): void {
    this.insertRow.run(
      request.id,
      request.method,
      request.caller,
      this.clock.now(),
      written ? 1 : 0,
      request.turn,
      request.session,
      JSON.stringify(answer),
    );
  }

  /** The answer reached the client whole. Returns the request, or undefined when it is unknown or was confirmed before. */
  confirm(id: string): AnsweredRequest | undefined {
    const found = this.selectOne.get(id);
    if (!found || found.written === 1) return undefined;
    this.setWritten.run(id);
    return found;
  }

  /** Answers of a method that no client is known to have, of the last `seconds`. */
  unconfirmed(method: string, seconds: number): AnsweredRequest[] {
    return this.unwritten.all(idAt(this.clock.now() - seconds * 1000), method);
  }

  /** Inside a request: removes some of what is long past; returns how many. */
  sweep(): number {
    const oldest = idAt(this.clock.now() - KEPT_TERMS * LIMITS.request_id_seconds * 1000);
    const through = this.highestBelow.get(oldest, SWEEP_ROWS);
    if (!through) return 0;
    // Only ids that really were removed become unknown: a clock that is far ahead for a while must not refuse today's.
    if (through > (this.getFloor.get() ?? '')) this.setFloor.run(through);
    return this.deleteBelow.run(through).changes;
  }
}

/** The lowest UUID v7 of a time. */
function idAt(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}`;
}
