import type { Db } from '#libs/store';

/** How far the stream is known to reach. `n` is null when that epoch cannot be continued: events were dropped. */
export interface StreamMark {
  epoch: number;
  n: number | null;
}

/** What the stream's writer remembers over a restart of the broker. */
export interface StreamMemory {
  /** The newest entry that Redis is known to have had, undefined before the first. */
  mark(): StreamMark | undefined;
  saveMark(mark: StreamMark): void;
}

/** The relay's memory in telemetry.db: the stream's end and how far the live events of turns have been relayed. */
export class RelayMemory implements StreamMemory {
  private readonly read;
  private readonly write;

  constructor(db: Db) {
    this.read = db.prepare<[string], string>('SELECT value FROM relay WHERE key = ?').pluck();
    this.write = db.prepare<[string, string]>(
      'INSERT INTO relay (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    );
  }

  mark(): StreamMark | undefined {
    const stored = this.read.get('stream_mark');
    return stored === undefined ? undefined : (JSON.parse(stored) as StreamMark);
  }

  saveMark(mark: StreamMark): void {
    this.write.run('stream_mark', JSON.stringify(mark));
  }

  /** Cursor behind the newest turn event that is in the stream. */
  turnEventCursor(): number {
    return Number(this.read.get('turn_event_cursor') ?? 0);
  }

  saveTurnEventCursor(cursor: number): void {
    this.write.run('turn_event_cursor', String(cursor));
  }
}
