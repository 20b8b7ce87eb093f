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

/**
 * Appends ARGV[3…] to the stream KEYS[1] with the id ARGV[1] (`<epoch>-*`) and the length ARGV[2]; one command for a
 * whole batch costs a fifth of one each. Returns the last entry's id, or false when there is no stream.
 */
const APPEND = `
local last = false
for i = 3, #ARGV do
  last = redis.call('XADD', KEYS[1], 'NOMKSTREAM', 'MAXLEN', '~', ARGV[2], ARGV[1], '${EVENT_FIELD}', ARGV[i])
  if not last then return last end
end
return last`;

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

  /** Appends to the epoch; how many events it took before it found the stream gone or not as it was. */
  private async continueEpoch(end: EventSeq, events: readonly string[]): Promise<number> {
    const limit = this.size.limitWith(events);
    const id = `${end.epoch}-*`;
    const last = await this.options.redis.eval(APPEND, 1, this.key, id, limit, ...events);
    const seq = typeof last === 'string' ? parseSeq(last) : undefined;
    if (seq?.epoch === end.epoch && seq.n === end.n + events.length) {
      this.confirm(seq);
      return events.length;
    }
    this.end = 'broken';
    return 0;
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
