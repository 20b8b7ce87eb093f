import { WebSocket } from 'ws';

import type { Clock } from '#libs/service';

import type { FrameSink } from './follower.js';

/** Bytes that may wait for a client before it gets no more until they have left. */
const FULL_BYTES = 1024 * 1024;
/** A client that takes nothing for this long is too slow, in milliseconds. */
const STUCK_MS = 20_000;

/** The writing end of one WebSocket, with a bound on what waits in this process for a slow reader. */
export class SocketSink implements FrameSink {
  private unsent = 0;
  private waiters: (() => void)[] = [];

  constructor(
    private readonly socket: WebSocket,
    private readonly clock: Clock,
    readonly giveUp: () => void,
  ) {}

  send(frame: string): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.unsent += 1;
    this.socket.send(frame, this.sent);
  }

  get isFull(): boolean {
    return this.socket.bufferedAmount > FULL_BYTES;
  }

  /** Settles when everything sent has left, or can no longer leave; a client that stays stuck is given up. */
  async drained(): Promise<void> {
    if (this.unsent === 0) return;
    const cancel = this.clock.after(STUCK_MS, this.giveUp);
    await new Promise<void>((resolve) => this.waiters.push(resolve));
    cancel();
  }

  /** Called for each frame when it was written, or failed because the socket closed. */
  private readonly sent = (): void => {
    this.unsent -= 1;
    if (this.unsent > 0) return;
    const { waiters } = this;
    this.waiters = [];
    for (const wake of waiters) wake();
  };
}
