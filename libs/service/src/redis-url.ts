/** A HIVE_REDIS_URL taken apart. */
export interface RedisUrl {
  /** Where it listens: a unix socket, or a host and port. */
  address: { path: string } | { host: string; port: number };
  tls: boolean;
  database: number;
  username: string | undefined;
  password: string | undefined;
}

/** Port of a Redis whose URL names none. */
const DEFAULT_PORT = 6379;
/** `unix://[user[:password]@]/path`; not a URL to the standard's parser, which refuses a user without a host. */
const UNIX = /^unix:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?(\/[^?#]+)$/;

/**
 * Takes apart `redis://[user:password@]host[:port][/database]`, `rediss://…` (TLS) or
 * `unix://[user:password@]/path/of/redis.sock`; undefined when it is none of these.
 */
export function parseRedisUrl(url: string): RedisUrl | undefined {
  try {
    return parseUnix(url) ?? parseTcp(url);
  } catch {
    return undefined; // A broken %-escape.
  }
}

function parseUnix(url: string): RedisUrl | undefined {
  const match = UNIX.exec(url);
  if (!match) return undefined;
  const [, username, password, path = ''] = match;
  return {
    address: { path: decodeURIComponent(path) },
    tls: false,
    database: 0,
    ...login(username, password),
  };
}

function parseTcp(url: string): RedisUrl | undefined {
  const parsed = URL.parse(url);
  const tls = parsed?.protocol === 'rediss:';
  if (!parsed || (!tls && parsed.protocol !== 'redis:') || parsed.hostname === '') return undefined;
  const database = /^\/?(\d{0,4})$/.exec(parsed.pathname);
  if (!database) return undefined;
  return {
    address: {
      host: parsed.hostname.replace(/^\[|\]$/g, ''),
      port: Number(parsed.port || DEFAULT_PORT),
    },
    tls,
    database: Number(database[1]),
    ...login(parsed.username, parsed.password),
  };
}

function login(
  username: string | undefined,
  password: string | undefined,
): Pick<RedisUrl, 'username' | 'password'> {
  return {
    username: username ? decodeURIComponent(username) : undefined,
    password: password ? decodeURIComponent(password) : undefined,
  };
}
