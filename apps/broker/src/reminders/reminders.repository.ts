import { Injectable } from '@nestjs/common';

import type { ReminderState } from '#libs/protocol';

import { ThreadsDb } from '../storage/threads.db.js';
import type { NewReminder, ReminderRecord } from './reminder.js';

/** Where a page of pending reminders in the order of their next attempt goes on. */
export interface DueCursor {
  next_attempt_at: number;
  id: number;
}

/** What a page of reminders is chosen by. */
interface PageOf {
  before: number;
  owners: readonly number[] | null;
  state: ReminderState | null;
  limit: number;
  /** Rows that are looked at. */
  scan: number;
}

/** A repeating reminder that is due. */
export interface DueRepetition extends Pick<ReminderRecord, 'id' | 'occurrence' | 'due_at'> {
  every: string;
  every_tz: string | null;
}

/** Rows of `reminders` and `reminder_messages`. Writes only from inside a request. */
@Injectable()
export class RemindersRepository {
  private readonly statements;

  constructor({ db }: ThreadsDb) {
    // `+` before searched parameters: see DeliveriesRepository.
    this.statements = {
      insert: db.prepare(
        `INSERT INTO reminders (owner, message, file_path, hop, every, every_tz, state, due_at, next_attempt_at, created_at)
         VALUES (@owner, @message, @file_path, @hop, @every, @every_tz, 'pending', @due_at, @due_at, @created_at)`,
      ),
      setPath: db.prepare<[string, number]>('UPDATE reminders SET file_path = ? WHERE id = ?'),
      find: db.prepare<[number], ReminderRecord>('SELECT * FROM reminders WHERE id = ?'),
      restingOf: db.prepare<[number], ReminderRecord>(
        `SELECT * FROM reminders WHERE owner = +? AND state IN ('pending', 'failed', 'paused') ORDER BY id`,
      ),
      failed: db.prepare<[number], ReminderRecord>(
        `SELECT * FROM reminders WHERE state = 'failed' ORDER BY id DESC LIMIT +?`,
      ),
      due: db.prepare<[number, number], ReminderRecord>(
        `SELECT * FROM reminders WHERE state = 'pending' AND next_attempt_at <= +? ORDER BY next_attempt_at, id LIMIT +?`,
      ),
      dueRepeating: db.prepare<[number, number], DueRepetition>(
        `SELECT * FROM (
           SELECT id, occurrence, every, every_tz, due_at FROM reminders
           WHERE state = 'pending' AND next_attempt_at <= +? ORDER BY next_attempt_at, id LIMIT +?
         ) WHERE every IS NOT NULL`,
      ),
      anyDue: db
        .prepare<[number], number>(
          `SELECT 1 FROM reminders WHERE state = 'pending' AND next_attempt_at <= +? LIMIT 1`,
        )
        .pluck(),
      pendingWithin: db.prepare<
        DueCursor & { until: number; limit: number },
        Pick<ReminderRecord, 'id' | 'occurrence' | 'attempt_count' | 'next_attempt_at'>
      >(
        `SELECT id, occurrence, attempt_count, next_attempt_at FROM reminders
         WHERE state = 'pending' AND next_attempt_at <= +@until AND (next_attempt_at, id) > (+@next_attempt_at, +@id)
         ORDER BY next_attempt_at, id LIMIT +@limit`,
      ),
      soonestFree: db
        .prepare<[number], number | null>(
          `SELECT min(next_attempt_at) FROM reminders WHERE owner = +? AND state IN ('pending', 'failed', 'paused') AND state = 'pending' AND every IS NULL`,
        )
        .pluck(),
      addMessage: db.prepare<[number, number, number, number, number]>(
        `INSERT INTO reminder_messages (reminder, occurrence, message, delivered_at, owner) VALUES (?, ?, ?, ?, ?)`,
      ),
      delivered: db.prepare<[number, number, number]>(
        `UPDATE reminders SET state = 'delivered', last_attempt_at = ?, ended_at = ? WHERE id = ?`,
      ),
      advance: db.prepare<[number, number, number, number]>(
        `UPDATE reminders SET occurrence = occurrence + 1, due_at = ?, next_attempt_at = ?, attempt_count = 0, last_attempt_at = ?
         WHERE id = ?`,
      ),
      recordFailure: db.prepare(
        `UPDATE reminders SET state = @state, attempt_count = @attempt_count, last_error = @last_error,
           last_attempt_at = @last_attempt_at, next_attempt_at = @next_attempt_at, ended_at = @ended_at WHERE id = @id`,
      ),
      setState: db.prepare<[ReminderState, number | null, number]>(
        'UPDATE reminders SET state = ?, ended_at = ? WHERE id = ?',
      ),
      restart: db.prepare<[number, number]>(
        `UPDATE reminders SET state = 'pending', attempt_count = 0, next_attempt_at = ?, ended_at = NULL WHERE id = ?`,
      ),
      page: db.prepare<Omit<PageOf, 'owners'> & { owners: string | null }, ReminderRecord>(
        `SELECT * FROM (SELECT * FROM reminders WHERE id < +@before ORDER BY id DESC LIMIT +@scan)
         WHERE (@state IS NULL OR state = @state)
           AND (@owners IS NULL OR owner IN (SELECT value FROM json_each(@owners)))
         ORDER BY id DESC LIMIT +@limit`,
      ),
      scanEnd: db
        .prepare<[number, number], number>(
          'SELECT id FROM reminders WHERE id < +? ORDER BY id DESC LIMIT 1 OFFSET +?',
        )
        .pluck(),
    };
  }

  insert(reminder: NewReminder): number {
    return Number(this.statements.insert.run(reminder).lastInsertRowid);
  }

  setFilePath(id: number, path: string): void {
    this.statements.setPath.run(path, id);
  }

  find(id: number): ReminderRecord | undefined {
    return this.statements.find.get(id);
  }

  /** Those of an owner that are pending, paused or failed, oldest first. */
  restingOf(owner: number): ReminderRecord[] {
    return this.statements.restingOf.all(owner);
  }

  /** Failed ones, newest first. */
  failed(limit: number): ReminderRecord[] {
    return this.statements.failed.all(limit);
  }

  /** Pending ones whose next attempt is due, in the order of their times. */
  due(now: number, limit: number): ReminderRecord[] {
    return this.statements.due.all(now, limit);
  }

  /** Those of the first `limit` due ones that repeat. */
  dueRepeating(now: number, limit: number): DueRepetition[] {
    return this.statements.dueRepeating.all(now, limit);
  }

  isAnyDue(now: number): boolean {
    return this.statements.anyDue.get(now) !== undefined;
  }

  /** Pending ones after the cursor whose next attempt comes by `until`. */
  pendingWithin(
    after: DueCursor,
    until: number,
    limit: number,
  ): Pick<ReminderRecord, 'id' | 'occurrence' | 'attempt_count' | 'next_attempt_at'>[] {
    return this.statements.pendingWithin.all({ ...after, until, limit });
  }

  /** When the owner's next reminder that does not repeat is due; undefined when there is none. */
  soonestEnd(owner: number): number | undefined {
    return this.statements.soonestFree.get(owner) ?? undefined;
  }

  /** The occurrence has this message; throws when it had one. */
  addMessage(reminder: ReminderRecord, message: number, now: number): void {
    this.statements.addMessage.run(reminder.id, reminder.occurrence, message, now, reminder.owner);
  }

  /** Its last occurrence was delivered. */
  finish(id: number, now: number): void {
    this.statements.delivered.run(now, now, id);
  }

  /** This occurrence was delivered, the next is due at `due`. */
  advance(id: number, due: number, now: number): void {
    this.statements.advance.run(due, due, now, id);
  }

  recordFailure(
    failure: Pick<
      ReminderRecord,
      | 'id'
      | 'state'
      | 'attempt_count'
      | 'last_error'
      | 'last_attempt_at'
      | 'next_attempt_at'
      | 'ended_at'
    >,
  ): void {
    this.statements.recordFailure.run(failure);
  }

  setState(id: number, state: ReminderState, endedAt: number | null): void {
    this.statements.setState.run(state, endedAt, id);
  }

  /** Pending again, its attempts counted afresh. */
  restart(id: number, nextAttemptAt: number): void {
    this.statements.restart.run(nextAttemptAt, id);
  }

  /**
   * Those before `before`, newest first, out of the next `scan` rows; `scannedTo`: how far it looked, when there are rows
   * behind that.
   */
  page(
    query: Omit<PageOf, 'owners' | 'state'> & { owners?: readonly number[]; state?: ReminderState },
  ): {
    rows: ReminderRecord[];
    scannedTo?: number;
  } {
    const { owners, state = null, ...rest } = query;
    const filter = owners === undefined ? null : JSON.stringify(owners);
    const rows = this.statements.page.all({ ...rest, state, owners: filter });
    const scannedTo = this.statements.scanEnd.get(query.before, query.scan - 1);
    return scannedTo === undefined ? { rows } : { rows, scannedTo };
  }
}
