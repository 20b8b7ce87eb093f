import type { RedisOptions } from 'ioredis';

/** Options whose client never gives up; ioredis would also take `null` for the strategy, BullMQ's types do not. */
export type ReconnectingOptions = RedisOptions & { retryStrategy: (attempt: number) => number };

/**
 * ioredis options of a HIVE_REDIS_URL: `redis://`, `rediss://` or `unix:///path/to.sock`, with `user:password@` where
 * the server has ACL users. Commands wait while Redis is away instead of failing, as BullMQ's workers need it.
 */
export function redisOptions(url: string): ReconnectingOptions {
  const parsed = new URL(url);
  const login = {
    ...(parsed.username ? { username: decodeURIComponent(parsed.username) } : {}),
    ...(parsed.password ? { password: decodeURIComponent(parsed.password) } : {}),
  };
  const common: ReconnectingOptions = {
    ...login,
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 1000),
  };
  if (parsed.protocol === 'unix:') return { ...common, path: decodeURIComponent(parsed.pathname) };
  return {
    ...common,
    host: parsed.hostname,
    port: parsed.port ? Number(parsed.port) : 6379,
    ...(parsed.pathname.length > 1 ? { db: Number(parsed.pathname.slice(1)) } : {}),
    ...(parsed.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}
