import { Injectable } from '@nestjs/common';

import { ThreadsDb } from '../storage/threads.db.js';
import type { Outcome, QuestionRecord } from './question.js';

/** What is known of a question when it is asked. */
export type NewQuestion = Pick<
  QuestionRecord,
  'asker' | 'target' | 'question' | 'options' | 'multi' | 'hop' | 'asked_at' | 'deadline_at'
>;

/** Place of a question in the order of deadlines. */
export type DeadlinePlace = Pick<QuestionRecord, 'id'> & { deadline_at: number };

/** Rows of `questions`. Writes only from inside a request. `+` before a parameter: see DeliveriesRepository. */
@Injectable()
export class QuestionsRepository {
  private readonly insertRow;
  private readonly setAsked;
  private readonly setOutcome;
  private readonly selectOne;
  private readonly openOfAsker;
  private readonly openToTarget;
  private readonly countOpen;
  private readonly allOpen;
  private readonly dueRows;
  private readonly anyDue;
  private readonly byDeadline;
  private readonly lastResolved;

  constructor({ db }: ThreadsDb) {
    this.insertRow = db.prepare<NewQuestion>(
      `INSERT INTO questions (asker, target, question, options, multi, hop, asked_at, deadline_at, state)
       VALUES (@asker, @target, @question, @options, @multi, @hop, @asked_at, @deadline_at, 'open')`,
    );
    this.setAsked = db.prepare<[number, number]>(
      'UPDATE questions SET asked_message = ? WHERE id = ?',
    );
    this.setOutcome = db.prepare<Outcome & { id: number; now: number }>(
      `UPDATE questions SET state = @state, answer = @answer, answered_by = @answered_by, resolved_at = @now
       WHERE id = @id`,
    );
    this.selectOne = db.prepare<[number], QuestionRecord>('SELECT * FROM questions WHERE id = ?');
    this.openOfAsker = db.prepare<[number, number], QuestionRecord>(
      `SELECT * FROM questions WHERE asker = +? AND state = 'open' ORDER BY id LIMIT +?`,
    );
    this.openToTarget = db.prepare<[number, number], QuestionRecord>(
      `SELECT * FROM questions WHERE target = +? AND state = 'open' ORDER BY id LIMIT +?`,
    );
    this.countOpen = db
      .prepare<[number], number>(
        `SELECT count(*) FROM questions WHERE asker = +? AND state = 'open'`,
      )
      .pluck();
    this.allOpen = db.prepare<[number], QuestionRecord>(
      `SELECT * FROM questions WHERE id IN (
         SELECT id FROM questions INDEXED BY questions_of_asker WHERE state = 'open' ORDER BY id LIMIT +?
       ) ORDER BY id`,
    );
    this.dueRows = db.prepare<[number, number], QuestionRecord>(
      `SELECT * FROM questions WHERE state = 'open' AND deadline_at IS NOT NULL AND deadline_at <= +?
       ORDER BY deadline_at, id LIMIT +?`,
    );
    this.anyDue = db
      .prepare<[number], number>(
        `SELECT 1 FROM questions WHERE state = 'open' AND deadline_at IS NOT NULL AND deadline_at <= +? LIMIT 1`,
      )
      .pluck();
    this.byDeadline = db.prepare<
      { deadline: number; id: number; until: number; limit: number },
      DeadlinePlace
    >(
      `SELECT id, deadline_at FROM questions
       WHERE state = 'open' AND deadline_at IS NOT NULL AND (deadline_at, id) > (+@deadline, +@id)
         AND deadline_at <= +@until
       ORDER BY deadline_at, id LIMIT +@limit`,
    );
    this.lastResolved = db.prepare<[number], QuestionRecord>(
      `SELECT * FROM questions WHERE resolved_at IS NOT NULL ORDER BY resolved_at DESC, id DESC LIMIT +?`,
    );
  }

  /** A new question, open. Returns its number. */
  insert(question: NewQuestion): number {
    return Number(this.insertRow.run(question).lastInsertRowid);
  }

  /** The message by which a peer was asked. */
  setAskedMessage(id: number, message: number): void {
    this.setAsked.run(message, id);
  }

  resolve(id: number, outcome: Outcome, now: number): void {
    this.setOutcome.run({ ...outcome, id, now });
  }

  find(id: number): QuestionRecord | undefined {
    return this.selectOne.get(id);
  }

  /** Open questions of this asker, oldest first. */
  openOf(asker: number, limit: number): QuestionRecord[] {
    return this.openOfAsker.all(asker, limit);
  }

  /** Open questions to this target, 0 the operator, oldest first. */
  openTo(target: number, limit: number): QuestionRecord[] {
    return this.openToTarget.all(target, limit);
  }

  /** How many questions of this asker are open. */
  openCount(asker: number): number {
    return this.countOpen.get(asker) ?? 0;
  }

  /** Open questions of the whole hive, oldest first. */
  open(limit: number): QuestionRecord[] {
    return this.allOpen.all(limit);
  }

  /** Open questions whose deadline has come, the most overdue first. */
  due(now: number, limit: number): QuestionRecord[] {
    return this.dueRows.all(now, limit);
  }

  /** Whether there is one. */
  hasDue(now: number): boolean {
    return this.anyDue.get(now) !== undefined;
  }

  /** Open questions with a deadline up to `until`, in the order of deadlines, after this place. */
  deadlines(after: DeadlinePlace, until: number, limit: number): DeadlinePlace[] {
    return this.byDeadline.all({ deadline: after.deadline_at, id: after.id, until, limit });
  }

  /** Those that found their outcome last, newest first. */
  resolvedLast(limit: number): QuestionRecord[] {
    return this.lastResolved.all(limit);
  }
}
