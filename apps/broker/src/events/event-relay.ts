import { encodeEvent, formatId, type NewHiveEvent } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import type { ChangeSet, OutboxRow } from '../outbox/change-set.js';
import type { TurnEventRun } from '../telemetry/turn-events.repository.js';
import { countChanges, mergeChanges } from './changes.js';
import { StreamUnavailableError } from './event-stream.js';
import type { RelayMemory } from './relay-memory.js';

/** The outbox as the relay uses it. */
export interface RelayedOutbox {
  /** At most `limit` rows after `id`, oldest first. */
  after(id: number, limit: number): OutboxRow[];
  /** Id of the newest row ever written. */
  newest(): number;
  /** Removes the rows up to and with `id`, durably, some time soon. */
  removeThrough(id: number): Promise<unknown>;
}

/** The live events of turns as the relay reads them. */
export interface RelayedTurnEvents {
  since(cursor: number, limit: number, chars: number): { runs: TurnEventRun[]; cursor: number };
  readonly end: number;
}

/** Where events go; settles when they are safe there, throws StreamUnavailableError when that is not known. */
export interface EventSink {
  append(events: readonly string[]): Promise<void>;
  breakEpoch(): void;
}

export interface EventRelayOptions {
  outbox: RelayedOutbox;
  turnEvents: RelayedTurnEvents;
  memory: Pick<RelayMemory, 'turnEventCursor' | 'saveTurnEventCursor'>;
  /** Reads the full rows of what changed, in the order in which a reader should see them. */
  hydrate: (changes: ChangeSet) => NewHiveEvent[];
  /** Without one, what would be relayed is thrown away. */
  sink: EventSink | undefined;
  clock: Clock;
  logger: Logger;
  /** Outbox rows that may wait for Redis. */
  maxWaitingRows?: number;
}

/** How long a change may wait for others: changes of the same row within it become one event. */
const COLLECT_MS = 15;
/**
 * The relay rests this many times as long as it held the thread: under load messages go first, and what changes again
 * meanwhile becomes one event.
 */
const REST_PER_WORK = 9;
/** Changes that one batch holds, about: reading their rows takes a few milliseconds of the thread. */
const BATCH_CHANGES = 128;
const BATCH_ROWS = 256;
const BATCH_TURN_EVENTS = 256;
/** Characters of live events in one batch, about, and so in one entry of the stream: it becomes one frame to a browser. */
const BATCH_CHARS = 256 * 1024;
/**
 * Outbox rows and live events that may wait for Redis. Past it the older half is given up: the stream keeps no more
 * entries either, so a reader who missed them needs a new snapshot anyhow.
 */
const MAX_WAITING_ROWS = 4000;
const MAX_WAITING_TURN_EVENTS = 20_000;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 1600;
/** How long a stop may go on relaying; the rest is relayed after the next start. */
const STOP_MS = 1000;
/** Wait between attempts at which Redis is reported as away: at a start it may come a moment later. */
const WARN_AT_MS = 800;

/**
 * Carries what changed from the outbox, and what turns report live, to the event stream. At least once and in order;
 * what a reader gets twice has the same or a higher version. Redis down delays only this.
 */
export class EventRelay {
  private relayed = 0;
  private turnEventCursor: number;
  private timer: (() => void) | undefined;
  private retryMs = 0;
  private working: Promise<void> | undefined;
  private stopped = false;
  private away = false;
  private heldMs = 0;
  private endRest: () => void = () => {};
  private workUntil = Infinity;

  constructor(private readonly options: EventRelayOptions) {
    this.turnEventCursor = options.memory.turnEventCursor();
  }

  /** Something changed: relays it soon. */
  wake(): void {
    if (this.timer || this.working || this.stopped) return;
    this.timer = this.options.clock.after(Math.max(COLLECT_MS, this.retryMs), () => {
      this.timer = undefined;
      this.working = this.run();
    });
  }

  /** Redis is there again: what waits goes out now. */
  retryNow(): void {
    this.retryMs = 0;
    this.timer?.();
    this.timer = undefined;
    this.wake();
  }

  /** Relays what is there if Redis takes it, and stops; what is left is relayed after the next start. */
  async stop(): Promise<void> {
    this.abandon();
    await this.working;
    this.workUntil = this.options.clock.monotonic() + STOP_MS;
    if (!this.away) await this.work();
  }

  /** Stops with the batch that is under way, as a crash would. */
  abandon(): void {
    this.stopped = true;
    this.workUntil = -Infinity;
    this.timer?.();
    this.timer = undefined;
    this.endRest();
  }

  private hasWork(): boolean {
    const { outbox, turnEvents } = this.options;
    return outbox.newest() > this.relayed || turnEvents.end > this.turnEventCursor;
  }

  private async run(): Promise<void> {
    const more = await this.work();
    this.working = undefined;
    if (more) this.wake();
  }

  /** Relays what there is; true when something is left, because it came meanwhile or Redis did not take it. */
  private async work(): Promise<boolean> {
    const { clock } = this.options;
    try {
      this.boundBacklog();
      while (clock.monotonic() < this.workUntil && (await this.relayBatch())) await this.rest();
      this.retryMs = 0;
      this.away = false;
      return this.hasWork();
    } catch (error) {
      this.retryMs = Math.min(Math.max(FIRST_RETRY_MS, this.retryMs * 2), LONGEST_RETRY_MS);
      this.away = true;
      if (!(error instanceof StreamUnavailableError))
        this.options.logger.error({ err: error }, 'the event relay failed; it goes on');
      else if (this.retryMs === WARN_AT_MS)
        this.options.logger.warn(`events wait for Redis: ${error.message}`);
      return true;
    }
  }

  /** Relays the next batch; false when nothing is left. */
  private async relayBatch(): Promise<boolean> {
    const { outbox, turnEvents, memory, sink, hydrate, clock } = this.options;
    const start = clock.monotonic();
    const rows = this.takeRows();
    const live = turnEvents.since(this.turnEventCursor, BATCH_TURN_EVENTS, BATCH_CHARS);
    if (rows.length === 0 && live.runs.length === 0) return false;
    if (sink) {
      const events = inOrder(hydrate(mergeChanges(rows)), live.runs).map(encodeEvent);
      const appended = sink.append(events);
      this.heldMs = clock.monotonic() - start;
      await appended;
    }
    const last = rows.at(-1);
    if (last) {
      this.relayed = last.id;
      void outbox.removeThrough(last.id).catch((error: unknown) => {
        this.options.logger.debug({ err: error }, 'relayed outbox rows are removed later');
      });
    }
    if (live.runs.length > 0) {
      this.turnEventCursor = live.cursor;
      memory.saveTurnEventCursor(live.cursor);
    }
    return true;
  }

  private rest(): Promise<void> {
    const ms = this.heldMs * REST_PER_WORK;
    if (this.stopped || ms === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const takeBack = this.options.clock.after(ms, resolve);
      this.endRest = () => {
        takeBack();
        resolve();
      };
    });
  }

  private takeRows(): OutboxRow[] {
    const rows = this.options.outbox.after(this.relayed, BATCH_ROWS);
    let changes = 0;
    const end = rows.findIndex((row) => {
      const before = changes;
      changes += countChanges(row.changes);
      return before > 0 && changes > BATCH_CHANGES;
    });
    return end === -1 ? rows : rows.slice(0, end);
  }

  /** Gives up the older half of what waits when it is too much, which readers learn by a new epoch. */
  private boundBacklog(): void {
    const { outbox, turnEvents, memory, sink, logger } = this.options;
    const newest = outbox.newest();
    const oldest = this.options.outbox.after(this.relayed, 1)[0]?.id ?? newest;
    const maxRows = this.options.maxWaitingRows ?? MAX_WAITING_ROWS;
    const rows = newest - oldest > maxRows;
    const live = turnEvents.end - this.turnEventCursor > MAX_WAITING_TURN_EVENTS;
    if (!rows && !live) return;
    sink?.breakEpoch();
    if (rows) {
      this.relayed = newest - Math.floor(maxRows / 2);
      void outbox.removeThrough(this.relayed).catch(() => {});
    }
    if (live) {
      this.turnEventCursor = turnEvents.end - MAX_WAITING_TURN_EVENTS / 2;
      memory.saveTurnEventCursor(this.turnEventCursor);
    }
    logger.warn({ rows, live }, 'events waited too long for Redis: the oldest were given up');
  }
}

/** Live events go behind the start of their turn and before its end. */
function inOrder(events: NewHiveEvent[], runs: readonly TurnEventRun[]): NewHiveEvent[] {
  const live = runs.map((run): NewHiveEvent => ({
    kind: 'turn_event',
    turn_id: formatId('t', run.turn_id),
    agent: run.agent,
    events: run.events,
  }));
  const end = events.findIndex((event) => event.kind === 'turn_ended');
  return end === -1 ? [...events, ...live] : events.toSpliced(end, 0, ...live);
}
