/** Names by which the machine itself is always meant. */
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];
const WILDCARDS = new Set(['0.0.0.0', '::', '[::]']);

/**
 * Which Host and Origin headers are ours. A page that rebinds its own DNS name to this machine sends that name, so
 * names are checked and ports are not: loopback names, the configured host, and, when the gateway listens on every
 * address, any literal address (rebinding needs a name).
 */
export class OwnHosts {
  private readonly names: ReadonlySet<string>;
  private readonly anyAddress: boolean;

  constructor(listenHost: string) {
    const own = listenHost.toLowerCase();
    this.anyAddress = WILDCARDS.has(own);
    this.names = new Set([...LOOPBACK, own, own.includes(':') ? `[${own}]` : own]);
  }

  /** Whether a Host header names this gateway. */
  isOwnHost(header: string | undefined): boolean {
    if (header === undefined) return false;
    return this.isOwnName(header);
  }

  /** Whether an Origin header is absent (no browser) or names this machine. */
  isOwnOrigin(header: string | undefined): boolean {
    if (header === undefined) return true;
    const match = /^https?:\/\/([^/]+)$/.exec(header);
    return match !== null && this.isOwnName(match[1] ?? '');
  }

  private isOwnName(hostWithPort: string): boolean {
    const match = /^(\[[0-9a-f:.]+\]|[^:[\]@]+)(:\d{1,5})?$/.exec(hostWithPort.toLowerCase());
    const name = match?.[1];
    if (name === undefined) return false;
    return this.names.has(name) || (this.anyAddress && isAddress(name));
  }
}

function isAddress(name: string): boolean {
  return name.startsWith('[') || /^\d{1,3}(\.\d{1,3}){3}$/.test(name);
}
