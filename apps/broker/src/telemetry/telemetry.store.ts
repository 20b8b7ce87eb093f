import path from 'node:path';

import type { TurnEvent } from '#libs/protocol';
import type { Clock } from '#libs/service';
import { migrate, openDatabase, type Db } from '#libs/store';

import { TELEMETRY_MIGRATIONS } from './telemetry.migrations.js';
import { TurnEventsRepository } from './turn-events.repository.js';
import { TurnRowsRepository, type TurnEnd, type TurnStart } from './turn-rows.repository.js';
import { TurnStats } from './turn-stats.js';

/** Name of the telemetry database in the broker's database folder. */
export const TELEMETRY_FILE = 'telemetry.db';

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

/**
 * The one writer of telemetry.db. What it is told is there after a crash of the process; threads.db remains the truth
 * of which turn ran and how it ended, and the rows here follow it by turn id.
 */
export class TelemetryStore extends TelemetryReader {
  private constructor(
    db: Db,
    private readonly clock: Clock,
  ) {
    super(db);
  }

  /** Opens, and where needed creates or migrates, the telemetry of a database folder for writing. */
  static openForWriting(dbDir: string, clock: Clock): TelemetryStore {
    const db = openDatabase({ path: path.join(dbDir, TELEMETRY_FILE), synchronous: 'NORMAL' });
    migrate(db, TELEMETRY_MIGRATIONS);
    return new TelemetryStore(db, clock);
  }

  /** Stores the row of a turn that begins; a repeat changes nothing. */
  turnStarted(turn: TurnStart): void {
    this.turns.start(turn);
  }

  /** Stores how a turn ended; the harness's first report wins (P6). True when the row changed. */
  turnEnded(end: TurnEnd): boolean {
    return this.turns.end(end);
  }

  /** Stores live events of a turn, each `n` once; how many were new. See TurnEventsRepository.store. */
  storeEvents(turnId: number, events: readonly TurnEvent[]): number {
    return this.events.store(turnId, events, this.clock.now());
  }
}
