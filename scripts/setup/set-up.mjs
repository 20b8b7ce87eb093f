import { ensureBuilt } from './build.mjs';
import { SetUpError } from './clone.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { withSetUpLock } from './lock.mjs';
import { needNode } from './node.mjs';
import { guarded } from './progress.mjs';
import { ensureRedis } from './redis.mjs';

/** What the set-up found or made. */
/** @typedef {{ node: string, redisServer: string | undefined }} Tools */

/**
 * Everything that a fresh clone lacks: packages, Redis, the build, and what `more` adds. Takes seconds when nothing is
 * to be done.
 * @param {readonly string[]} args words of the command line
 * @param {() => Promise<void>} [more]
 * @returns {Promise<Tools>}
 */
export function setUp(args, more = async () => {}) {
  // What is installed and built must be readable for the services' users, whatever the mask of root's shell is.
  if (process.getuid?.() === 0) process.umask(0o022);
  return guarded(() => {
    if (process.platform === 'win32') {
      throw new SetUpError('the hive runs on Linux and macOS; on Windows use WSL');
    }
    return withSetUpLock(async () => {
      await ensureDependencies();
      const redisServer = await ensureRedis(args);
      await more();
      await ensureBuilt();
      return { node: needNode(), redisServer };
    });
  });
}
