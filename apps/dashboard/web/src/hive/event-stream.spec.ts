import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { HiveEvent } from '#libs/protocol';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { EventStream, type Connection } from './event-stream.js';

/** The socket of a hive that the test plays. */
class PlayedSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  isClosed = false;
  constructor(readonly url: string) {}
  close(): void {
    this.isClosed = true;
  }
  say(what: unknown): void {
    this.onmessage?.({ data: JSON.stringify(what) });
  }
}

function frame(seq: string): unknown {
  return { seq, kind: 'agent_removed', agent_id: '1', name: 'a', version: 1 };
}

describe(verifies('7.1', 'P38', 'P30') + 'the event channel of the page', () => {
  let sockets: PlayedSocket[];
  let events: HiveEvent[];
  let resyncs: number;
  let connections: Connection['status'][];
  let tickets: number;
  let refuse: boolean;

  beforeEach(() => {
    vi.useFakeTimers();
    sockets = [];
    events = [];
    resyncs = 0;
    connections = [];
    tickets = 0;
    refuse = false;
  });
  afterEach(() => vi.useRealTimers());

  async function started(after: string): Promise<EventStream> {
    const stream = new EventStream({
      after,
      ticket: () => {
        tickets += 1;
        return refuse ? Promise.reject(new Error('away')) : Promise.resolve(`ticket-${tickets}`);
      },
      open: (url) => {
        const socket = new PlayedSocket(url);
        sockets.push(socket);
        return socket as unknown as WebSocket;
      },
      onEvent: (event) => events.push(event),
      onResync: () => {
        resyncs += 1;
      },
      onConnection: ({ status }) => connections.push(status),
    });
    stream.start();
    await vi.advanceTimersByTimeAsync(0);
    return stream;
  }
  const socket = (): PlayedSocket => sockets.at(-1) as PlayedSocket;
  const seqs = (): string[] => events.map(({ seq }) => seq);

  it('resumes behind the last event with a fresh ticket after a break', async () => {
    await started('7-3');
    expect(socket().url).toBe('/events?after=7-3&ticket=ticket-1');
    socket().onopen?.();
    socket().say(frame('7-4'));
    socket().onclose?.();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(socket().url).toBe('/events?after=7-4&ticket=ticket-2');
    socket().say(frame('7-5'));
    expect(seqs()).toEqual(['7-4', '7-5']);
    expect(resyncs).toBe(0);
  });

  it('takes no event twice', async () => {
    await started('7-3');
    for (const seq of ['7-2', '7-3', '7-4', '7-4']) socket().say(frame(seq));
    expect(seqs()).toEqual(['7-4']);
  });

  it('treats a gap as a break and asks for what is missing', async () => {
    await started('7-3');
    const first = socket();
    first.say(frame('7-4'));
    first.say(frame('7-6'));
    first.say(frame('7-7'));
    expect(first.isClosed).toBe(true);
    expect(seqs()).toEqual(['7-4']);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(socket().url).toContain('after=7-4');
  });

  it('starts over on resync and on another epoch, and on nothing else', async () => {
    await started('7-3');
    socket().say({ kind: 'resync' });
    expect(resyncs).toBe(1);
    await started('7-3');
    socket().say(frame('8-1'));
    expect(resyncs).toBe(2);
    await started('0-0');
    socket().say(frame('9-1'));
    expect(resyncs).toBe(2);
    expect(seqs()).toEqual(['9-1']);
  });

  it('waits longer after each failure, and at most 15 seconds', async () => {
    refuse = true;
    await started('7-3');
    let last = 0;
    const gaps: number[] = [];
    let known = tickets;
    for (let ms = 0; ms < 120_000; ms += 100) {
      await vi.advanceTimersByTimeAsync(100);
      if (tickets > known) {
        gaps.push(ms - last);
        last = ms;
        known = tickets;
      }
    }
    expect(Math.max(...gaps)).toBeLessThanOrEqual(15_100);
    expect(gaps.at(-1)).toBeGreaterThan(7000);
    expect(gaps[0]).toBeLessThanOrEqual(500);
  });

  it('connects at once when asked to, and never after it was stopped', async () => {
    const stream = await started('7-3');
    socket().onclose?.();
    stream.retryNow();
    await vi.advanceTimersByTimeAsync(0);
    expect(sockets).toHaveLength(2);
    expect(connections).toEqual(['connecting', 'waiting', 'connecting']);
    stream.stop();
    socket().onclose?.();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets).toHaveLength(2);
  });
});
