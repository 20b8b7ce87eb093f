import { Inject, Injectable } from '@nestjs/common';

import { HiveError, LIMITS } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { OPERATOR_ID } from '../registry/agent.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { Writer } from '../storage/writer.service.js';

/** What a repeatable request was answered. */
export interface AnsweredRequest {
  id: string;
  method: string;
  /** Agent, 0 the operator. */
  caller: number;
  turn: number | null;
  session: string | null;
  /** JSON; its shape is the method's. */
  answer: string;
}

/** A send of which an identical one may be the retry. */
export type UnsettledSend = AnsweredRequest & { at: number };

/** Rows are kept this many times as long as ids are taken, so that a clock set back cannot make an old id new. */
const KEPT_TERMS = 2;
/** Rows that one sweep removes at most. */
const SWEEP_ROWS = 1000;
/** Requests that are also kept in memory: more than are under way at one time. */
const RECENT = 20_000;
const UNCONFIRMED_MS = LIMITS.unconfirmed_send_seconds * 1000;

/**
 * Remembers the answer of each repeatable request by its id (P11): a repeat after a lost answer changes nothing and is
 * answered the same. Ids are UUID v7, so an id that is too old to be remembered shows it.
 *
 * The newest are kept in memory too, so that an ordinary request, which is no repeat, costs no look into the table.
 */
@Injectable()
export class RequestLog {
  private readonly statements;
  /** The newest answers in two generations: taking the oldest entry out of a large map one by one is slow. */
  private recent = new Map<string, AnsweredRequest>();
  private older = new Map<string, AnsweredRequest>();
  /** Highest id that is, or was, on disk and is not in memory. */
  private highestElsewhere: string;
  /** The oldest id that is taken, as of this millisecond. */
  private oldest = { at: -1, id: '' };

  constructor(
    { db }: ThreadsDb,
    writer: Writer,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.statements = {
      find: db.prepare<[string], AnsweredRequest>('SELECT * FROM requests WHERE id = ?'),
      insert: db.prepare<
        [string, string, number, number, number, number | null, string | null, string]
      >(
        `INSERT INTO requests (id, method, caller, at, absorbs, turn, session, answer)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      highest: db.prepare<[], string | null>('SELECT max(id) FROM requests').pluck(),
      sendsSince: db.prepare<[string], UnsettledSend>(
        'SELECT * FROM requests WHERE id >= +? AND absorbs = 1 ORDER BY id',
      ),
      settled: db.prepare<[], string>('SELECT requests FROM settled_sends').pluck(),
      settle: db.prepare<[number, string]>(
        'INSERT INTO settled_sends (at, requests) VALUES (?, ?)',
      ),
      forgetSettled: db.prepare<[number]>(
        'DELETE FROM settled_sends WHERE id IN (SELECT id FROM settled_sends WHERE at < ? LIMIT 1000)',
      ),
      highestBelow: db
        .prepare<[string, number], string | null>(
          'SELECT max(id) FROM (SELECT id FROM requests WHERE id < +? ORDER BY id LIMIT +?)',
        )
        .pluck(),
      deleteThrough: db.prepare<[string]>('DELETE FROM requests WHERE id <= ?'),
      floor: db.prepare<[], string>(`SELECT value FROM meta WHERE key = 'requests_floor'`).pluck(),
      setFloor: db.prepare<[string]>(
        `INSERT INTO meta (key, value) VALUES ('requests_floor', ?)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      ),
    };
    this.highestElsewhere = this.onDisk();
    writer.onRollback(() => {
      this.recent = new Map();
      this.older = new Map();
      this.highestElsewhere = this.onDisk();
    });
  }

  /** What the request of this id was answered, undefined when it is not known. */
  find(id: string): AnsweredRequest | undefined {
    const known = this.recent.get(id) ?? this.older.get(id);
    if (known || id > this.highestElsewhere) return known;
    return this.statements.find.get(id);
  }

  /**
   * The stored answer when this is a repeat, undefined when it is new. Throws `conflict` when the id was another's, and
   * `request_expired` when it is too old to tell.
   */
  repeated(id: string, method: string, caller: number): AnsweredRequest | undefined {
    const found = this.find(id);
    if (found) {
      if (found.method === method && found.caller === caller) return found;
      throw new HiveError(
        'conflict',
        'this request id was used for another request; make a new one for each',
      );
    }
    if (id < this.oldestId() || (id <= this.highestElsewhere && id <= this.floor)) {
      throw new HiveError(
        'request_expired',
        `this request id is older than ${LIMITS.request_id_seconds / 3600} hours, so it cannot be told whether it was carried out; look, and send it with a new id if it was not`,
      );
    }
    return undefined;
  }

  /** Inside a request: the stored answer when it is a repeat, else what `work` answers now, remembered with its effect. */
  once<T>(request: Omit<AnsweredRequest, 'answer'>, work: () => T): T {
    const { id, method, caller } = request;
    const repeated = this.repeated(id, method, caller);
    if (repeated) return JSON.parse(repeated.answer) as T;
    const answer = work();
    this.remember(request, answer);
    return answer;
  }

  /** The same for a request of the operator; one without an id is carried out each time that it comes. */
  onceForOperator<T>(method: string, id: string | undefined, work: () => T): T {
    if (id === undefined) return work();
    return this.once({ id, method, caller: OPERATOR_ID, turn: null, session: null }, work);
  }

  now(): number {
    return this.clock.now();
  }

  /** Inside the request, with its effect. `absorbs`: a send, of which an identical one may be the retry. */
  remember(request: Omit<AnsweredRequest, 'answer'>, answer: unknown, absorbs = false): void {
    const { id, method, caller, turn, session } = request;
    const json = JSON.stringify(answer);
    const at = this.clock.now();
    this.statements.insert.run(id, method, caller, at, absorbs ? 1 : 0, turn, session, json);
    this.recent.set(id, { ...request, answer: json });
    if (this.recent.size >= RECENT / 2) this.forgetOlder();
  }

  /** Inside a request: these sends absorb no repeat any more. */
  settleSends(ids: readonly string[]): void {
    this.statements.settle.run(this.clock.now(), ids.join(' '));
  }

  /** Sends of the last ten minutes that may absorb a repeat. */
  unsettledSends(): UnsettledSend[] {
    const settled = new Set(this.statements.settled.all().flatMap((ids) => ids.split(' ')));
    return this.statements.sendsSince
      .all(idAt(this.clock.now() - UNCONFIRMED_MS))
      .filter(({ id }) => !settled.has(id));
  }

  /** Inside a request: removes some of what is long past; returns how many. */
  sweep(): number {
    const now = this.clock.now();
    const forgotten = this.statements.forgetSettled.run(now - KEPT_TERMS * UNCONFIRMED_MS).changes;
    const oldest = idAt(now - KEPT_TERMS * LIMITS.request_id_seconds * 1000);
    const through = this.statements.highestBelow.get(oldest, SWEEP_ROWS);
    if (!through) return forgotten;
    // Only ids that really were removed become unknown: a clock that is far ahead for a while must not refuse today's.
    if (through > this.floor) this.statements.setFloor.run(through);
    for (const answers of [this.recent, this.older])
      for (const id of answers.keys()) if (id <= through) answers.delete(id);
    if (through > this.highestElsewhere) this.highestElsewhere = through;
    return forgotten + this.statements.deleteThrough.run(through).changes;
  }

  private oldestId(): string {
    const at = this.clock.now() - LIMITS.request_id_seconds * 1000;
    if (at !== this.oldest.at) this.oldest = { at, id: idAt(at) };
    return this.oldest.id;
  }

  private get floor(): string {
    return this.statements.floor.get() ?? '';
  }

  private onDisk(): string {
    const highest = this.statements.highest.get() ?? '';
    const floor = this.floor;
    return highest > floor ? highest : floor;
  }

  private forgetOlder(): void {
    for (const id of this.older.keys()) if (id > this.highestElsewhere) this.highestElsewhere = id;
    this.older = this.recent;
    this.recent = new Map();
  }
}

/** The lowest UUID v7 of a time. */
function idAt(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}`;
}
