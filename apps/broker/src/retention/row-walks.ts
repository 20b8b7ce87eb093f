import type { Db } from '#libs/store';

import type { RetentionWalk, WalkStep } from './retention-walk.js';

/** Rows that one step of a table looks at. */
export const ROWS_PER_STEP = 200;

/** Statements of the walks; each finds its rows by an index, whatever the size of the tables. */
export const ROW_WALK_SQL = {
  questions: `DELETE FROM questions WHERE id IN (
    SELECT id FROM questions WHERE resolved_at <= +? ORDER BY resolved_at LIMIT ${ROWS_PER_STEP})`,
  // A failed one waits for the operator, as a dead delivery does.
  reminders: `DELETE FROM reminders WHERE id IN (
    SELECT id FROM reminders WHERE state IN ('delivered', 'cancelled') AND ended_at <= +?
    ORDER BY ended_at LIMIT ${ROWS_PER_STEP})`,
  reminderMessages: `DELETE FROM reminder_messages WHERE (reminder, occurrence) IN (
    SELECT reminder, occurrence FROM reminder_messages WHERE delivered_at <= +?
    ORDER BY delivered_at LIMIT ${ROWS_PER_STEP})`,
  runs: `DELETE FROM runs WHERE token_hash IN (
    SELECT token_hash FROM runs WHERE revoked_at <= +? ORDER BY revoked_at LIMIT ${ROWS_PER_STEP})`,
  turns: `SELECT id, started_at, ended_at, journaled FROM turns WHERE id > +? ORDER BY id LIMIT +?`,
  removeTurn: 'DELETE FROM turns WHERE id = +?',
  restartWakes: `SELECT agent, operation, message FROM restart_wakes WHERE (agent, operation) > (+?, +?)
    ORDER BY agent, operation LIMIT +?`,
  messageThere: 'SELECT 1 FROM messages WHERE id = +?',
  removeRestartWake: 'DELETE FROM restart_wakes WHERE agent = +? AND operation = +?',
} as const;

/** Removes the rows that a statement finds by their time: every one of them goes, so none can be in the way. */
export class TimeWalk implements RetentionWalk {
  private readonly remove;

  /** `sql` deletes at most ROWS_PER_STEP rows that are past the horizon. */
  constructor(db: Db, sql: string) {
    this.remove = db.prepare<[number]>(sql);
  }

  step(horizon: number): WalkStep {
    const removed = this.remove.run(horizon).changes;
    return { removed, done: removed < ROWS_PER_STEP };
  }
}

/** Turns that are over, of which telemetry.db has the row. */
export class TurnWalk implements RetentionWalk {
  private readonly page;
  private readonly remove;
  private cursor = 0;

  constructor(db: Db) {
    this.page = db.prepare<
      [number, number],
      { id: number; started_at: number; ended_at: number | null; journaled: number }
    >(ROW_WALK_SQL.turns);
    this.remove = db.prepare<[number]>(ROW_WALK_SQL.removeTurn);
  }

  step(horizon: number): WalkStep {
    const page = this.page.all(this.cursor, ROWS_PER_STEP);
    const old = page.filter((turn) => turn.started_at <= horizon);
    const over = old.filter(
      ({ ended_at, journaled }) => ended_at !== null && ended_at <= horizon && journaled === 1,
    );
    for (const { id } of over) this.remove.run(id);
    const done = page.length < ROWS_PER_STEP || old.length === 0;
    this.cursor = done ? 0 : (page.at(-1)?.id ?? 0);
    return { removed: over.length, done };
  }

  reset(): void {
    this.cursor = 0;
  }
}

/** Wakes after a restart whose message is gone. */
export class RestartWakeWalk implements RetentionWalk {
  private readonly page;
  private readonly there;
  private readonly remove;
  private cursor: readonly [agent: number, operation: string] = [0, ''];

  constructor(db: Db) {
    this.page = db.prepare<
      [number, string, number],
      { agent: number; operation: string; message: number }
    >(ROW_WALK_SQL.restartWakes);
    this.there = db.prepare<[number], 1>(ROW_WALK_SQL.messageThere).pluck();
    this.remove = db.prepare<[number, string]>(ROW_WALK_SQL.removeRestartWake);
  }

  step(): WalkStep {
    const page = this.page.all(...this.cursor, ROWS_PER_STEP);
    const gone = page.filter(({ message }) => this.there.get(message) === undefined);
    for (const { agent, operation } of gone) this.remove.run(agent, operation);
    const last = page.at(-1);
    const done = page.length < ROWS_PER_STEP;
    this.cursor = done || !last ? [0, ''] : [last.agent, last.operation];
    return { removed: gone.length, done };
  }

  reset(): void {
    this.cursor = [0, ''];
  }
}
