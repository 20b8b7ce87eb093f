import { pingRedis, withoutCredentials } from '../redis/redis-ping.js';
import { StartRefusedError } from './start-refused.error.js';

/**
 * A Redis that is reached by the network must want a password: agents share the host's network, and what is in it steers
 * the queues and is shown to the operator (P36).
 * @throws StartRefusedError when the Redis that the operator named does not take commands, or takes anybody's.
 */
export async function checkRedisUrl(url: string): Promise<void> {
  const shown = withoutCredentials(url);
  try {
    await pingRedis(url);
  } catch (error) {
    throw new StartRefusedError(
      `the Redis of HIVE_REDIS_URL (${shown}) does not answer: ${(error as Error).message}. Start it, correct the address, or leave HIVE_REDIS_URL out: the hive then starts a private one`,
      { cause: error },
    );
  }
  if (/^unix:/i.test(url) || !(await takesAnybody(shown))) return;
  throw new StartRefusedError(
    `the Redis of HIVE_REDIS_URL (${shown}) takes commands without a password, and agents reach it by the same network. Give it one (requirepass, or a user) and put it into the URL, or leave HIVE_REDIS_URL out: the hive then starts a private one`,
  );
}

/** `url` without credentials. */
async function takesAnybody(url: string): Promise<boolean> {
  try {
    await pingRedis(url);
    return true;
  } catch {
    return false;
  }
}
