import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Stands before a gateway for clients that cannot send a token: adds the Authorization header and passes everything else
 * through as it came, Host and Origin among it.
 */
export class AuthorizingProxy {
  private constructor(private readonly server: Server) {}

  static async start(target: string, token: string): Promise<AuthorizingProxy> {
    const { hostname, port } = new URL(target);
    const server = createServer((incoming, outgoing) => {
      const onward = request(
        {
          hostname,
          port,
          path: incoming.url,
          method: incoming.method,
          setHost: false,
          headers: { ...incoming.headers, authorization: `Bearer ${token}` },
        },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
          answer.on('error', () => outgoing.destroy());
        },
      );
      onward.on('error', () => outgoing.destroy());
      outgoing.on('close', () => onward.destroy());
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new AuthorizingProxy(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }
}
