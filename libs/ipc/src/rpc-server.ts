import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';

import { RpcPeer, type RpcApi, type RpcHandlers } from './rpc-peer.js';

export interface RpcServerOptions<Api extends RpcApi<Api>> {
  /** Path of the unix socket; what a dead predecessor left there is removed. */
  path: string;
  /** The peer's table of requests; nothing else is answered. */
  handlers: RpcHandlers<Api>;
  /** Called with each new connection. */
  onConnect?: (peer: RpcPeer) => void;
  /** An exception that is not a HiveError: a bug to log. The caller sees `internal`. */
  onBug: (error: unknown, method: string) => void;
}

/** Serves one peer's table of requests on one unix socket (mode 0660). */
export class RpcServer<Api extends RpcApi<Api>> {
  private readonly server: Server;
  private readonly peers = new Set<RpcPeer>();

  constructor(private readonly options: RpcServerOptions<Api>) {
    this.server = createServer((socket) => {
      const peer = new RpcPeer(socket, options.handlers, options.onBug);
      this.peers.add(peer);
      void peer.whenClosed.then(() => this.peers.delete(peer));
      options.onConnect?.(peer);
    });
  }

  /** The connections that are open now. */
  get connections(): ReadonlySet<RpcPeer> {
    return this.peers;
  }

  async listen(): Promise<void> {
    rmSync(this.options.path, { force: true });
    const before = process.umask(0o117);
    try {
      await new Promise<void>((resolve, reject) => {
        this.server.once('error', reject);
        this.server.listen(this.options.path, resolve);
      });
    } finally {
      process.umask(before);
    }
  }

  /** Takes no more connections, ends those that are open, and removes the socket file. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    for (const peer of this.peers) peer.close();
    await closed;
  }
}
