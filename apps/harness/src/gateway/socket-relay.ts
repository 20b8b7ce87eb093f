import type { AddressInfo, Server, Socket } from 'node:net';

import { HiveError } from '#libs/protocol';

import { reasonOf } from '../logging/log.js';
import { net } from '../platform/builtins.js';

/**
 * Where a container has no network, the gateway is a socket file in `run/` (P35). This listens on the loopback address
 * of the gateway's URL and passes every connection on to that file, which is looked up anew each time: a gateway that
 * starts again makes a new one.
 */
export class SocketRelay {
  private readonly connections = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  /** Throws `invalid_config` when it cannot listen there. */
  static async open(url: string, socketPath: string): Promise<SocketRelay> {
    const { hostname, port } = new URL(url);
    const server = net.createServer({ allowHalfOpen: true });
    const relay = new SocketRelay(server);
    server.on('connection', (near) => relay.join(near, socketPath));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(
          new HiveError(
            'invalid_config',
            `the gateway's address ${url} cannot be relayed inside the container: ${reasonOf(error)}`,
          ),
        ),
      );
      server.listen(Number(port || 80), hostname.replaceAll(/^\[|\]$/g, ''), resolve);
    });
    // A harness that has nothing else to do may end.
    server.unref();
    return relay;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
    for (const connection of this.connections) connection.destroy();
  }

  private join(near: Socket, socketPath: string): void {
    const far = net.connect({ path: socketPath, allowHalfOpen: true });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.connections.add(one);
      one.setNoDelay?.(true);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.connections.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}
