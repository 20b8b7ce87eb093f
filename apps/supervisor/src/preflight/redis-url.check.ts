import { pingRedis, withoutCredentials } from '../redis/redis-ping.js';
import { StartRefusedError } from './start-refused.error.js';

/** @throws StartRefusedError when the Redis that the operator named does not take commands. */
export async function checkRedisUrl(url: string): Promise<void> {
  try {
    await pingRedis(url);
  } catch (error) {
    throw new StartRefusedError(
      `the Redis of HIVE_REDIS_URL (${withoutCredentials(url)}) does not answer: ${(error as Error).message}. Start it, correct the address, or leave HIVE_REDIS_URL out: the hive then starts a private one`,
      { cause: error },
    );
  }
}
