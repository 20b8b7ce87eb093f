import type { EventSeq } from '#libs/protocol';

import { EMPTY, type EventLog, type LoggedEvent } from './event-log.js';

/** Where a follower's frames go. */
export interface FrameSink {
  send: (frame: string) => void;
  /** True when more would only pile up. */
  readonly isFull: boolean;
  /** Settles when what was sent has left. */
  drained: () => Promise<void>;
  /** Ends the client's connection: its place cannot be read, and it is to come again. */
  giveUp: () => void;
}

export const RESYNC_FRAME = JSON.stringify({ kind: 'resync' });

/**
 * One client's place in the event stream. It reads what it has missed at the client's own pace, then takes events as
 * they come. Whatever does not follow without a gap, or comes while the client is full, sends it back to reading; what reading cannot fill (trimmed away,
 * wiped, another epoch) becomes one `resync`, after which it goes on from the stream's present end.
 */
export class Follower {
  private isReading = true;
  private isClosed = false;
  /** Newest place that the fan-out has told of. */
  private newest: EventSeq | undefined;

  constructor(
    private readonly log: EventLog,
    private readonly sink: FrameSink,
    private place: EventSeq,
  ) {}

  /** Catches up, then lives from `offer`; while Redis is away it waits. */
  start(): void {
    void this.read();
  }

  close(): void {
    this.isClosed = true;
  }

  /** An event that the fan-out just read. */
  offer(event: LoggedEvent): void {
    this.newest = event.seq;
    if (this.isReading || this.isClosed) return;
    if (this.follows(event.seq) && !this.sink.isFull) this.pass(event);
    else if (!this.isBehind(event.seq)) void this.read();
  }

  /** The fan-out has seen that the stream is another one than before. */
  streamReplaced(): void {
    if (!this.isReading && !this.isClosed) void this.read();
  }

  private async read(): Promise<void> {
    this.isReading = true;
    try {
      while (this.isReading && !this.isClosed) await this.readPage();
    } catch {
      // Redis refused, or this dashboard stops; the client resumes with a new connection.
      if (!this.isClosed) this.sink.giveUp();
      this.isClosed = true;
    }
  }

  /** Sends one page; at the end of what is known, ends the reading in the same step, so that no event slips between. */
  private async readPage(): Promise<void> {
    if (this.sink.isFull) await this.sink.drained();
    const events = await this.log.after(this.place);
    for (const event of events) {
      if (this.isClosed) return;
      if (!this.follows(event.seq)) return this.startOver();
      this.pass(event);
      if (this.sink.isFull) await this.sink.drained();
    }
    if (events.length > 0) return undefined;
    if (same(await this.log.end(), this.place)) {
      this.isReading = this.isOutrun();
      return undefined;
    }
    // Either something came between the two reads, or the stream no longer holds this place.
    const [next] = await this.log.after(this.place);
    return next && this.follows(next.seq) ? undefined : this.startOver();
  }

  private async startOver(): Promise<void> {
    this.place = await this.log.end();
    this.newest = undefined;
    if (!this.isClosed) this.sink.send(RESYNC_FRAME);
  }

  private pass(event: LoggedEvent): void {
    this.place = event.seq;
    this.sink.send(event.frame);
  }

  private follows(next: EventSeq): boolean {
    if (same(this.place, EMPTY)) return next.n === 1;
    return next.epoch === this.place.epoch && next.n === this.place.n + 1;
  }

  private isBehind(seq: EventSeq): boolean {
    return seq.epoch === this.place.epoch && seq.n <= this.place.n;
  }

  /** Whether the fan-out has passed this place while the last page was read. */
  private isOutrun(): boolean {
    const { newest, place } = this;
    if (!newest) return false;
    return newest.epoch === place.epoch && newest.n > place.n;
  }
}

function same(a: EventSeq, b: EventSeq): boolean {
  return a.epoch === b.epoch && a.n === b.n;
}
