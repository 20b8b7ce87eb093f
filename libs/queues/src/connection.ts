import type { RedisOptions } from 'ioredis';

import { parseRedisUrl } from '#libs/service';

/** Options whose client never gives up; ioredis would also take `null` for the strategy, BullMQ's types do not. */
export type ReconnectingOptions = RedisOptions & { retryStrategy: (attempt: number) => number };

/** Longest wait between two attempts to reach a Redis that is away, in milliseconds. */
const LONGEST_RETRY_MS = 1_000;

/**
 * ioredis options of a HIVE_REDIS_URL (see parseRedisUrl for its forms). Commands wait while Redis is away instead of
 * failing, as BullMQ's workers need it.
 * @throws TypeError when it is not the URL of a Redis.
 */
export function redisOptions(url: string): ReconnectingOptions {
  const parsed = parseRedisUrl(url);
  if (!parsed) throw new TypeError('HIVE_REDIS_URL is not the URL of a Redis');
  return {
    ...parsed.address,
    ...(parsed.username === undefined ? {} : { username: parsed.username }),
    ...(parsed.password === undefined ? {} : { password: parsed.password }),
    ...(parsed.tls ? { tls: {} } : {}),
    db: parsed.database,
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, LONGEST_RETRY_MS),
  };
}
