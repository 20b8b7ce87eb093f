import path from 'node:path';

/** Longest path of a unix socket in bytes; one more fails (P37). */
export const SOCKET_PATH_BYTES = 107;

/**
 * Where the socket of `server` for `peer` lies: `<runtime>/<server>-<peer>/<server>-<peer>.sock`. The folder is made by
 * the supervisor, owned by the server, setgid to the peer's group, so that the socket is the peer's alone (P29).
 */
export function socketPath(runtimeDir: string, server: string, peer: string): string {
  return path.join(runtimeDir, `${server}-${peer}`, `${server}-${peer}.sock`);
}

/** The pairs of server and peer that have a socket, with what carries it. */
export const SOCKETS = [
  { server: 'c0re', peer: 'dashboard', wire: 'http' },
  { server: 'c0re', peer: 'gateway', wire: 'http' },
  { server: 'c0re', peer: 'scheduler', wire: 'http' },
  { server: 'c0re', peer: 'admin', wire: 'http' },
  { server: 'broker', peer: 'gateway', wire: 'json-rpc' },
  { server: 'broker', peer: 'dashboard', wire: 'json-rpc' },
  { server: 'broker', peer: 'scheduler', wire: 'json-rpc' },
  { server: 'broker', peer: 'c0re', wire: 'json-rpc' },
] as const;
