import { Redis } from 'ioredis';

import { decodeEvent, EVENT_STREAM, formatSeq, parseSeq, type EventSeq } from '#libs/protocol';
import { redisOptions } from '#libs/queues';

/** An event of the stream, written out once for all sockets. */
export interface LoggedEvent {
  seq: EventSeq;
  frame: string;
}

/** End of a stream that does not exist. */
export const EMPTY: EventSeq = { epoch: 0, n: 0 };

/** Longest block of one read, in milliseconds; after it the reader looks whether the stream was wiped. */
const BLOCK_MS = 2000;
/** Entries of one read. */
const PAGE = 200;

type Entry = [id: string, fields: string[]];

/** Read access to the Redis stream `hive:events`. Calls wait while Redis is away. */
export class EventLog {
  private readonly commands: Redis;
  private readonly blocking: Redis;

  constructor(redisUrl: string, onProblem: (error: Error) => void) {
    const options = redisOptions(redisUrl);
    this.commands = new Redis(options);
    this.blocking = new Redis(options);
    for (const connection of [this.commands, this.blocking]) connection.on('error', onProblem);
  }

  get isConnected(): boolean {
    return this.commands.status === 'ready';
  }

  /** The last event's place; EMPTY when there is no stream. */
  async end(): Promise<EventSeq> {
    const [last] = await this.commands.xrevrange(EVENT_STREAM, '+', '-', 'COUNT', 1);
    return (last && parseSeq(last[0])) ?? EMPTY;
  }

  /** Events after `seq` that are there now, oldest first, a page at most. */
  async after(seq: EventSeq): Promise<LoggedEvent[]> {
    const start = `(${formatSeq(seq)}`;
    return written(await this.commands.xrange(EVENT_STREAM, start, '+', 'COUNT', PAGE));
  }

  /** Waits for events after `seq`; none when nothing came for two seconds. */
  async wait(seq: EventSeq): Promise<LoggedEvent[]> {
    const answer = await this.blocking.xread(
      'COUNT',
      PAGE,
      'BLOCK',
      BLOCK_MS,
      'STREAMS',
      EVENT_STREAM,
      formatSeq(seq),
    );
    return written(answer?.[0]?.[1] ?? []);
  }

  close(): void {
    this.commands.disconnect();
    this.blocking.disconnect();
  }
}

/** An entry that cannot be read is left out: to the sockets it is a gap, and a gap that cannot be filled a resync. */
function written(entries: Entry[]): LoggedEvent[] {
  return entries.flatMap(([id, fields]) => {
    const seq = parseSeq(id);
    try {
      const event = decodeEvent(id, fields);
      return seq && event ? [{ seq, frame: JSON.stringify(event) }] : [];
    } catch {
      return [];
    }
  });
}
