import type { Redis } from 'ioredis';

import {
  EVENT_FIELD,
  EVENT_STREAM,
  EVENT_STREAM_LENGTH,
  formatSeq,
  parseSeq,
  type EventSeq,
} from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import type { StreamMark, StreamMemory } from './relay-memory.js';

/** Bytes of events that the stream may hold: long tool results must not fill Redis before the entry limit does. */
const STREAM_BYTES = 64 * 1024 * 1024;
/** Bytes sent to Redis before its answer is awaited. */
const PIPELINE_BYTES = 1024 * 1024;

/** Thrown when Redis did not confirm a batch: part of it may be in the stream, the whole has to be given again. */
export class StreamUnavailableError extends Error {
  override readonly name = 'StreamUnavailableError';
}

export interface EventStreamOptions {
  /** A connection without offline queue and resending, so that nothing is written behind the writer's back. */
  redis: Redis;
  memory: StreamMemory;
  clock: Clock;
  logger: Logger;
  /** Name of the stream; default EVENT_STREAM. */
  key?: string;
  /** Bytes that the stream may hold, about; default 64 MiB. */
  maxBytes?: number;
}

/**
 * What is known of the stream: `unknown` until its end was read (at the start and after each lost connection), `broken`
 * when the next entry has to start a new epoch, else its last entry.
 */
type StreamEnd = 'unknown' | 'broken' | EventSeq;

/**
 * The one writer of the event stream (P38). Entry ids are the `seq` `<epoch>-<n>`; Redis itself counts n up, so there
 * is no gap within an epoch whatever fails. A stream that is gone, or that ends before what it is known to have held,
 * gets a new epoch, which tells every reader to take a new snapshot.
 */
export class EventStream {
  private readonly key: string;
  private end: StreamEnd = 'unknown';
  private mark: StreamMark | undefined;
  private readonly size: StreamSize;

  constructor(private readonly options: EventStreamOptions) {
    this.key = options.key ?? EVENT_STREAM;
    this.size = new StreamSize(options.maxBytes ?? STREAM_BYTES);
    this.mark = options.memory.mark();
    options.redis.on('close', () => {
      this.end = 'unknown';
    });
  }

  /** Appends encoded events in their order; settles when Redis has all of them. Throws StreamUnavailableError. */
  async append(events: readonly string[]): Promise<void> {
    try {
      for (let from = 0; from < events.length;) {
        const chunk = takeBytes(events, from, PIPELINE_BYTES);
        await this.appendChunk(chunk);
        from += chunk.length;
      }
    } catch (error) {
      this.end = 'unknown';
      throw new StreamUnavailableError(
        `the event stream did not take the events: ${(error as Error).message}`,
        { cause: error },
      );
    } finally {
      if (this.mark) this.options.memory.saveMark(this.mark);
    }
  }

  /** Makes the next entry start a new epoch: events were dropped, so readers have to take a new snapshot. */
  breakEpoch(): void {
    this.mark = { epoch: this.mark?.epoch ?? 0, n: null };
    this.options.memory.saveMark(this.mark);
    this.end = 'unknown';
  }

  private async appendChunk(chunk: readonly string[]): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      const end: StreamEnd = this.end === 'unknown' ? await this.readEnd() : this.end;
      this.end = end;
      const taken =
        typeof end === 'string' ? await this.startEpoch(rest) : await this.continueEpoch(end, rest);
      rest = rest.slice(taken);
    }
  }

  /** Reads where the stream ends and decides whether its epoch can be continued. */
  private async readEnd(): Promise<Exclude<StreamEnd, 'unknown'>> {
    const [last] = await this.options.redis.xrevrange(this.key, '+', '-', 'COUNT', 1);
    const found = last && parseSeq(last[0]);
    const known = this.mark;
    if (found && known?.epoch === found.epoch && known.n !== null && found.n >= known.n) {
      this.mark = found;
      return found;
    }
    if (found && (!known || found.epoch > known.epoch)) this.mark = { epoch: found.epoch, n: null };
    return 'broken';
  }

  /** Appends the first event as number 1 of a new epoch; the clock may have jumped back, an epoch never does. */
  private async startEpoch([first = '']: readonly string[]): Promise<number> {
    const { clock, redis, logger } = this.options;
    const next = { epoch: Math.max(clock.now(), (this.mark?.epoch ?? 0) + 1), n: 1 };
    const limit = this.size.limitWith([first]);
    await redis.xadd(this.key, 'MAXLEN', '~', limit, formatSeq(next), EVENT_FIELD, first);
    logger.info({ epoch: next.epoch }, 'the event stream starts a new epoch');
    this.confirm(next);
    return 1;
  }

  /** Appends to the epoch; how many events it took before it found the stream gone. */
  private async continueEpoch(end: EventSeq, events: readonly string[]): Promise<number> {
    const limit = this.size.limitWith(events);
    const pipeline = this.options.redis.pipeline();
    for (const event of events) {
      const id = `${end.epoch}-*`;
      pipeline.xadd(this.key, 'NOMKSTREAM', 'MAXLEN', '~', limit, id, EVENT_FIELD, event);
    }
    const answers = (await pipeline.exec()) ?? [];
    let taken = 0;
    for (const [error, id] of answers) {
      if (error) throw error;
      const seq = typeof id === 'string' ? parseSeq(id) : undefined;
      if (seq?.epoch !== end.epoch || seq.n !== end.n + taken + 1) {
        this.end = 'broken';
        return taken;
      }
      taken += 1;
      this.confirm(seq);
    }
    if (taken < events.length) throw new Error('the connection closed before every answer came');
    return taken;
  }

  private confirm(seq: EventSeq): void {
    this.end = seq;
    this.mark = seq;
  }
}

/** Keeps account of the newest entries' bytes, to tell how many entries the stream may hold. */
class StreamSize {
  private readonly batches: { entries: number; bytes: number }[] = [];
  private entries = 0;
  private bytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** Most entries that the stream may hold once these events are in it. */
  limitWith(events: readonly string[]): number {
    const bytes = events.reduce((sum, event) => sum + event.length, 0);
    this.batches.push({ entries: events.length, bytes });
    this.entries += events.length;
    this.bytes += bytes;
    let over = false;
    while (
      this.batches.length > 1 &&
      (this.bytes > this.maxBytes || this.entries > EVENT_STREAM_LENGTH)
    ) {
      const oldest = this.batches.shift();
      this.entries -= oldest?.entries ?? 0;
      this.bytes -= oldest?.bytes ?? 0;
      over = true;
    }
    return over ? Math.min(this.entries, EVENT_STREAM_LENGTH) : EVENT_STREAM_LENGTH;
  }
}

/** The events from `from` on that stay within `most` characters, at least one. */
function takeBytes(events: readonly string[], from: number, most: number): readonly string[] {
  let to = from;
  for (let size = 0; to < events.length; to++) {
    size += events[to]?.length ?? 0;
    if (size > most && to > from) break;
  }
  return events.slice(from, to);
}
