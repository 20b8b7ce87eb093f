import { describe, expect, it } from 'vitest';

import type { EventSeq } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import type { EventLog, LoggedEvent } from './event-log.js';
import { EMPTY } from './event-log.js';
import { Follower, RESYNC_FRAME, type FrameSink } from './follower.js';

type Reads = Pick<EventLog, 'after' | 'end'>;

function event(n: number, epoch = 1): LoggedEvent {
  return { seq: { epoch, n }, frame: `${epoch}-${n}` };
}

/** A stream in memory whose reads can be held back, so that a test decides what happens meanwhile. */
class MemoryLog implements Reads {
  events: LoggedEvent[] = [];
  /** Called before each read is answered. */
  beforeRead: (kind: 'after' | 'end') => Promise<void> | void = () => undefined;

  async after(seq: EventSeq): Promise<LoggedEvent[]> {
    await this.beforeRead('after');
    return this.events
      .filter(({ seq: { epoch, n } }) => epoch > seq.epoch || (epoch === seq.epoch && n > seq.n))
      .slice(0, 3);
  }

  async end(): Promise<EventSeq> {
    const end = this.events.at(-1)?.seq ?? EMPTY;
    await this.beforeRead('end');
    return end;
  }
}

class MemorySink implements FrameSink {
  readonly frames: string[] = [];
  isFull = false;
  gaveUp = false;
  private readonly waiters: (() => void)[] = [];

  send(frame: string): void {
    this.frames.push(frame);
  }
  drained(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }
  giveUp(): void {
    this.gaveUp = true;
  }
  /** The client has read everything. */
  drain(): void {
    this.isFull = false;
    for (const wake of this.waiters.splice(0)) wake();
  }
}

function follower(place: EventSeq): { log: MemoryLog; sink: MemorySink; follower: Follower } {
  const log = new MemoryLog();
  const sink = new MemorySink();
  return { log, sink, follower: new Follower(log as unknown as EventLog, sink, place) };
}

/** Lets everything that can go on without the outside go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

describe(verifies('7.1', 'P38') + 'a follower of the event stream', () => {
  it('takes up what came between its last read and its going live', async () => {
    const { log, sink, follower: one } = follower({ epoch: 1, n: 1 });
    log.events = [event(1), event(2)];
    let ends = 0;
    log.beforeRead = (kind) => {
      if (kind !== 'end' || ends++ > 0) return;
      // The fan-out reads it first, while this follower still waits for the answer to its own read.
      log.events.push(event(3));
      one.offer(event(3));
    };
    one.start();
    await settle();
    expect(sink.frames).toEqual(['1-2', '1-3']);
    log.events.push(event(4));
    one.offer(event(4));
    expect(sink.frames).toEqual(['1-2', '1-3', '1-4']);
  });

  it('goes back to reading when the fan-out skips something', async () => {
    const { log, sink, follower: one } = follower({ epoch: 1, n: 1 });
    log.events = [event(1)];
    one.start();
    await settle();
    log.events.push(event(2), event(3), event(4));
    one.offer(event(4));
    await settle();
    expect(sink.frames).toEqual(['1-2', '1-3', '1-4']);
  });

  it('takes nothing twice', async () => {
    const { log, sink, follower: one } = follower({ epoch: 1, n: 1 });
    log.events = [event(1), event(2), event(3)];
    one.start();
    await settle();
    one.offer(event(2));
    one.offer(event(3));
    await settle();
    expect(sink.frames).toEqual(['1-2', '1-3']);
  });

  it('keeps back from a client that is full, then goes on where it was', async () => {
    const { log, sink, follower: one } = follower({ epoch: 1, n: 1 });
    log.events = [event(1)];
    one.start();
    await settle();
    sink.isFull = true;
    for (let n = 2; n <= 40; n += 1) {
      log.events.push(event(n));
      one.offer(event(n));
    }
    await settle();
    expect(sink.frames).toEqual([]);
    sink.drain();
    await settle();
    await settle();
    await settle();
    expect(sink.frames).toEqual(Array.from({ length: 39 }, (_, at) => `1-${at + 2}`));
  });

  it('waits in the middle of a page when the client fills up', async () => {
    const { log, sink, follower: one } = follower(EMPTY);
    log.events = [event(1), event(2), event(3)];
    sink.send = (frame) => {
      sink.frames.push(frame);
      sink.isFull = true;
    };
    one.start();
    await settle();
    expect(sink.frames).toEqual(['1-1']);
    sink.drain();
    await settle();
    expect(sink.frames).toEqual(['1-1', '1-2']);
  });

  it('says resync once when its place is gone, and follows the new stream from its end', async () => {
    const { log, sink, follower: one } = follower({ epoch: 1, n: 7 });
    log.events = [event(7)];
    one.start();
    await settle();
    log.events = [event(1, 2), event(2, 2)];
    one.offer(event(1, 2));
    one.offer(event(2, 2));
    await settle();
    log.events.push(event(3, 2));
    one.offer(event(3, 2));
    expect(sink.frames).toEqual([RESYNC_FRAME, '2-3']);
  });

  it('sends nothing more once it is closed', async () => {
    const { log, sink, follower: one } = follower({ epoch: 1, n: 1 });
    log.events = [event(1)];
    one.start();
    await settle();
    one.close();
    log.events.push(event(2));
    one.offer(event(2));
    one.streamReplaced();
    await settle();
    expect([sink.frames, sink.gaveUp]).toEqual([[], false]);
  });

  it('gives its client up when the stream cannot be read', async () => {
    const { log, sink, follower: one } = follower({ epoch: 1, n: 1 });
    log.beforeRead = () => Promise.reject(new Error('NOPERM'));
    one.start();
    await settle();
    expect(sink.gaveUp).toBe(true);
  });
});
