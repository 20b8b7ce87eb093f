import path from 'node:path';

import { migrate, openDatabase, type Db } from '#libs/store';

import type { EndedTurn } from '../turns/turn-journal.js';
import { TELEMETRY_MIGRATIONS } from './telemetry.migrations.js';
import { TurnEventsRepository } from './turn-events.repository.js';
import { TurnRowsRepository } from './turn-rows.repository.js';
import { TurnStats } from './turn-stats.js';

/** Name of the telemetry database in the broker's database folder. */
export const TELEMETRY_FILE = 'telemetry.db';
/** Rows that one transaction completes. */
const COMPLETED_AT_ONCE = 1000;

/** What readers of telemetry.db need; on a connection of their own. */
export class TelemetryReader {
  readonly turns: TurnRowsRepository;
  readonly events: TurnEventsRepository;
  readonly stats: TurnStats;

  constructor(readonly db: Db) {
    this.turns = new TurnRowsRepository(db);
    this.events = new TurnEventsRepository(db);
    this.stats = new TurnStats(db);
  }

  /** A second, read-only connection to the telemetry of a database folder that TelemetryStore has opened. */
  static open(dbDir: string): TelemetryReader {
    return new TelemetryReader(
      openDatabase({
        path: path.join(dbDir, TELEMETRY_FILE),
        synchronous: 'NORMAL',
        readonly: true,
      }),
    );
  }

  close(): void {
    this.db.close();
  }
}

/** The one writer of telemetry.db. What it stored survives a crash of the process, not always one of the machine. */
export class TelemetryStore extends TelemetryReader {
  /** Opens, and where needed creates or migrates, the telemetry of a database folder for writing. */
  static openForWriting(dbDir: string): TelemetryStore {
    const db = openDatabase({ path: path.join(dbDir, TELEMETRY_FILE), synchronous: 'NORMAL' });
    migrate(db, TELEMETRY_MIGRATIONS);
    return new TelemetryStore(db);
  }

  /** Stores the rows of ended turns in one transaction. */
  putTurns(turns: readonly EndedTurn[]): void {
    this.db.transaction(() => {
      for (const turn of turns) this.turns.put(turn);
    })();
  }

  /** Asks `reminderOf` for what rows of before schema 2 lack; later calls find nothing to do. */
  completeReminders(reminderOf: (turnId: number) => number | null): void {
    for (;;) {
      const turns = this.turns.withoutReminder(COMPLETED_AT_ONCE);
      this.db.transaction(() => {
        for (const turn of turns) this.turns.addReminder(turn, reminderOf(turn));
      })();
      if (turns.length < COMPLETED_AT_ONCE) return;
    }
  }
}
