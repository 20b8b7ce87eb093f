import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

import { HiveError } from '#libs/protocol';

/** Names of this machine that no foreign DNS answer can take over. */
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * The Host and Origin values under which the dashboard may be reached. A page that rebinds its own DNS name to this
 * machine sends that name as Host, and a page of another origin, be it only another port, sends that as Origin; both
 * are refused. An address literal cannot be rebound, so the address that the connection came in by passes as well.
 */
export class AllowedHosts {
  private readonly names: Set<string>;
  private port = 0;

  constructor(configuredHost: string) {
    this.names = new Set([...LOOPBACK, bracketed(configuredHost.toLowerCase())]);
  }

  /** To be set once the server listens. */
  listensOn(port: number): void {
    this.port = port;
  }

  /** Throws `forbidden` unless Host is one of ours and Origin, where there is one, too. */
  check(request: IncomingMessage): void {
    const host = request.headers.host ?? '';
    if (!this.isOurs(host, request.socket.localAddress)) {
      throw new HiveError(
        'forbidden',
        `Host ${JSON.stringify(host.slice(0, 100))} is not an address of this dashboard; use ${LOOPBACK[0]}:${this.port} or the configured host`,
      );
    }
    const origin = request.headers.origin;
    if (origin === undefined) return;
    const from = parseOrigin(origin);
    if (from === undefined || !this.isOurs(from, request.socket.localAddress)) {
      throw new HiveError(
        'forbidden',
        `requests from the origin ${JSON.stringify(origin.slice(0, 100))} are refused; only the dashboard's own page may call it`,
      );
    }
  }

  private isOurs(host: string, localAddress: string | undefined): boolean {
    const { name, port } = splitPort(host.toLowerCase());
    if (port !== this.port) return false;
    return this.names.has(name) || (localAddress !== undefined && name === literal(localAddress));
  }
}

/** `host:port` of an http origin, undefined when it is not one. */
function parseOrigin(origin: string): string | undefined {
  const match = /^http:\/\/([^/?#@\s]+)$/.exec(origin);
  return match?.[1];
}

function splitPort(host: string): { name: string; port: number } {
  const match = /^(\[[0-9a-f:.]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(host);
  return { name: match?.[1] ?? '', port: match?.[2] === undefined ? 80 : Number(match[2]) };
}

/** The Host form of a local address; IPv4 mapped into IPv6 is IPv4 to the browser. */
function literal(address: string): string {
  return bracketed(address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, ''));
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}
