import { connect } from 'node:net';

import { HiveError } from '#libs/protocol';

import { RpcPeer, type CallContext, type RpcApi } from './rpc-peer.js';

export interface RpcClientOptions {
  path: string;
  /** Requests that the server may send back over the connection. */
  callbacks?: Record<string, (params: never, context: CallContext) => unknown>;
  /** Called after each (re)connect, before waiting calls are sent. */
  onConnect?: (peer: RpcPeer) => Promise<void> | void;
  onDisconnect?: () => void;
  onBug?: (error: unknown, method: string) => void;
}

const FIRST_RETRY_MS = 20;
const LONGEST_RETRY_MS = 1000;

/**
 * A connection to a service's socket that comes back by itself. `call` waits for a connection at most `connectWaitMs`;
 * it never sends a call twice: the caller decides, with its request id, whether to repeat what may have been done.
 */
export class RpcClient<Api extends RpcApi<Api>> {
  private peer: RpcPeer | undefined;
  private readonly waiters = new Set<() => void>();
  private retryMs = FIRST_RETRY_MS;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(private readonly options: RpcClientOptions) {}

  get isConnected(): boolean {
    return this.peer?.isOpen === true;
  }

  /** Starts to connect, and keeps connecting until `close`. */
  start(): void {
    const socket = connect(this.options.path);
    const again = () => {
      if (this.stopped) return;
      this.timer = setTimeout(() => this.start(), this.retryMs);
      this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
    };
    socket.once('error', again);
    socket.once('connect', () => {
      socket.removeListener('error', again);
      void this.adopt(
        new RpcPeer(socket, this.options.callbacks ?? {}, this.options.onBug ?? (() => {})),
        again,
      );
    });
  }

  /** Calls the service. See RpcPeer.call for how it fails; also `unavailable` when no connection comes in time. */
  async call<K extends keyof Api & string>(
    method: K,
    params: Api[K][0],
    options: { signal?: AbortSignal; connectWaitMs?: number } = {},
  ): Promise<Api[K][1]> {
    const peer = this.isConnected
      ? this.peer
      : await this.whenConnected(options.connectWaitMs ?? 5000, options.signal);
    if (!peer)
      throw new HiveError(
        'unavailable',
        `the service behind ${this.options.path} is not there; it is being restarted, try again`,
      );
    return peer.call<Api, K>(method, params, options.signal);
  }

  close(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.peer?.close();
    for (const wake of this.waiters) wake();
  }

  private async adopt(peer: RpcPeer, again: () => void): Promise<void> {
    void this.followEnd(peer, again);
    try {
      await this.options.onConnect?.(peer);
    } catch (error) {
      this.options.onBug?.(error, 'onConnect');
      peer.close();
      return;
    }
    if (!peer.isOpen) return;
    this.peer = peer;
    this.retryMs = FIRST_RETRY_MS;
    for (const wake of this.waiters) wake();
  }

  private async followEnd(peer: RpcPeer, again: () => void): Promise<void> {
    await peer.whenClosed;
    if (this.peer === peer) {
      this.peer = undefined;
      this.options.onDisconnect?.();
    }
    again();
  }

  private async whenConnected(
    waitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<RpcPeer | undefined> {
    if (this.stopped || waitMs === 0) return undefined;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        this.waiters.delete(done);
        resolve(this.peer);
      };
      const timer = setTimeout(done, waitMs);
      signal?.addEventListener('abort', done, { once: true });
      this.waiters.add(done);
    });
  }
}
