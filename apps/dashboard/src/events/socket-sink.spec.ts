import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { ManualClock } from '#libs/service';

import { verifies } from '../../../../test/requirements/verifies.js';
import { SocketSink } from './socket-sink.js';

/** A socket whose frames leave when the test says so. */
class HeldSocket {
  readyState: number = WebSocket.OPEN;
  bufferedAmount = 0;
  private readonly held: (() => void)[] = [];

  send(frame: string, sent: () => void): void {
    this.bufferedAmount += frame.length;
    this.held.push(() => {
      this.bufferedAmount -= frame.length;
      sent();
    });
  }
  release(count = this.held.length): void {
    for (const leave of this.held.splice(0, count)) leave();
  }
}

function sink() {
  const socket = new HeldSocket();
  const clock = new ManualClock();
  const calls = { gaveUp: 0 };
  const one = new SocketSink(socket as unknown as WebSocket, clock, () => {
    calls.gaveUp += 1;
  });
  return { socket, clock, calls, sink: one };
}

describe(verifies('7.1') + 'the writing end of an event socket', () => {
  it('is full past a megabyte that has not left, and drained when all has', async () => {
    const { socket, sink: one } = sink();
    expect(one.isFull).toBe(false);
    one.send('x'.repeat(700_000));
    expect(one.isFull).toBe(false);
    one.send('x'.repeat(700_000));
    expect(one.isFull).toBe(true);
    let isDrained = false;
    const drained = (async () => {
      await one.drained();
      isDrained = true;
    })();
    socket.release(1);
    await Promise.resolve();
    expect([one.isFull, isDrained]).toEqual([false, false]);
    socket.release();
    await drained;
    await one.drained();
  });

  it('gives up a client that takes nothing for 20 seconds', async () => {
    const { socket, clock, calls, sink: one } = sink();
    one.send('x');
    const drained = one.drained();
    clock.advance(19_999);
    expect(calls.gaveUp).toBe(0);
    clock.advance(1);
    expect(calls.gaveUp).toBe(1);
    socket.release();
    await drained;
    one.send('y');
    void one.drained();
    socket.release();
    await Promise.resolve();
    await Promise.resolve();
    clock.advance(60_000);
    expect(calls.gaveUp).toBe(1);
  });

  it('sends nothing into a socket that closes', () => {
    const { socket, sink: one } = sink();
    socket.readyState = WebSocket.CLOSING;
    one.send('x');
    expect(socket.bufferedAmount).toBe(0);
  });
});
