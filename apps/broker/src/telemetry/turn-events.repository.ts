import { clip, HiveError, LIMITS, utf8Bytes, type TurnEvent } from '#libs/protocol';
import type { Db } from '#libs/store';

/** A stored event with the turn it belongs to. */
export interface StoredTurnEvent {
  turn_id: number;
  event: TurnEvent;
}

/** Events of one turn in the order of their arrival, as the event stream carries them. */
export interface TurnEventRun {
  turn_id: number;
  agent: string;
  events: TurnEvent[];
}

interface EventRecord {
  id: number;
  turn_id: number;
  agent: string;
  event: string;
}

/** The `turn_events` table of telemetry.db: what an agent does in its turns, live. */
export class TurnEventsRepository {
  private readonly insert;
  private readonly ofTurn;
  private readonly after;
  private readonly last;
  private readonly sweep;
  private readonly storeAll;

  constructor(db: Db) {
    this.insert = db.prepare<[number, string, number, number, string]>(`
      INSERT INTO turn_events (turn_id, agent, n, stored_at, event) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (turn_id, n) DO NOTHING`);
    this.ofTurn = db.prepare<[number, number], { turn_id: number; event: string }>(
      'SELECT turn_id, event FROM turn_events WHERE turn_id = +? ORDER BY n DESC LIMIT +?',
    );
    this.after = db.prepare<[number, number], EventRecord>(
      'SELECT id, turn_id, agent, event FROM turn_events WHERE id > +? ORDER BY id LIMIT +?',
    );
    this.last = db
      .prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'turn_events'")
      .pluck();
    this.sweep = db.prepare<[number, number]>(`
      DELETE FROM turn_events WHERE stored_at < ? AND id IN (
        SELECT id FROM turn_events ORDER BY id LIMIT ?)`);
    this.storeAll = db.transaction(
      (turn: { id: number; agent: string }, events: readonly TurnEvent[], now: number) => {
        let stored = 0;
        for (const event of events) {
          const text = encodeBounded(event);
          stored += this.insert.run(turn.id, turn.agent, event.n, now, text).changes;
        }
        return stored;
      },
    );
  }

  /**
   * Stores the events of one turn in one transaction; those whose `n` is there already are left as they are. How many
   * were new. Refuses more than `turn_events_per_batch` with `too_large`.
   */
  store(turn: { id: number; agent: string }, events: readonly TurnEvent[], now: number): number {
    if (events.length > LIMITS.turn_events_per_batch) {
      throw new HiveError(
        'too_large',
        `${events.length} events in one batch, the limit is ${LIMITS.turn_events_per_batch}; send them in more batches`,
      );
    }
    return this.storeAll(turn, events, now);
  }

  /** The last `limit` events of a turn, oldest first. */
  inTurn(turnId: number, limit: number): StoredTurnEvent[] {
    return this.ofTurn.all(turnId, limit).toReversed().map(decode);
  }

  /**
   * The last events of these turns, oldest first, at most `limit` of them and about `chars` characters; `turnIds` newest
   * first.
   */
  inTurns(turnIds: readonly number[], limit: number, chars: number): StoredTurnEvent[] {
    const newestFirst: StoredTurnEvent[] = [];
    let size = 0;
    for (const turnId of turnIds) {
      for (const record of this.ofTurn.iterate(turnId, limit - newestFirst.length)) {
        size += record.event.length;
        if (size > chars && newestFirst.length > 0) return newestFirst.reverse();
        newestFirst.push(decode(record));
      }
      if (newestFirst.length >= limit) break;
    }
    return newestFirst.reverse();
  }

  /**
   * Up to `limit` events after the cursor, about `chars` characters of them, and the new cursor. Events of one turn that
   * follow each other are one run.
   */
  since(cursor: number, limit: number, chars: number): { runs: TurnEventRun[]; cursor: number } {
    const runs: TurnEventRun[] = [];
    let end = cursor;
    let size = 0;
    for (const record of this.after.iterate(cursor, limit)) {
      size += record.event.length;
      if (size > chars && runs.length > 0) break;
      end = record.id;
      const event = JSON.parse(record.event) as TurnEvent;
      const run = runs.at(-1);
      if (run?.turn_id === record.turn_id) run.events.push(event);
      else runs.push({ turn_id: record.turn_id, agent: record.agent, events: [event] });
    }
    return { runs, cursor: end };
  }

  /** The cursor behind the newest event. */
  get end(): number {
    return this.last.get() ?? 0;
  }

  /** Looks at the oldest `most` events and deletes those stored before `cutoff`; how many it deleted. */
  deleteBefore(cutoff: number, most: number): number {
    return this.sweep.run(cutoff, most).changes;
  }
}

/** The event as JSON of at most `turn_event_bytes`: what a tool printed is cut, the event itself is never lost. */
function encodeBounded(event: TurnEvent): string {
  let text = JSON.stringify(event);
  for (let most = LIMITS.turn_event_bytes; utf8Bytes(text) > LIMITS.turn_event_bytes; most /= 2)
    text = JSON.stringify(clipped(event, most));
  return text;
}

/** The event with each of its texts cut to `most` characters; a cut input becomes its JSON text. */
function clipped(
  { n, at, kind, text, tool, tool_use_id, input, is_error }: TurnEvent,
  most: number,
): TurnEvent {
  return {
    n,
    at,
    kind,
    ...(text === undefined ? {} : { text: clip(text, most) }),
    ...(tool === undefined ? {} : { tool: clip(tool, LIMITS.status_chars) }),
    ...(tool_use_id === undefined ? {} : { tool_use_id: clip(tool_use_id, LIMITS.status_chars) }),
    ...(input === undefined ? {} : { input: clip(JSON.stringify(input), most) }),
    ...(is_error === undefined ? {} : { is_error }),
  };
}

function decode(record: { turn_id: number; event: string }): StoredTurnEvent {
  return { turn_id: record.turn_id, event: JSON.parse(record.event) as TurnEvent };
}
