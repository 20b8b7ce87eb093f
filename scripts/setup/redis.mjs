import { spawnSync } from 'node:child_process';

import { ensureProgram, findProgram } from './system-packages.mjs';

const SERVERS = ['redis-server', 'valkey-server'];

/** Path of a Redis server, or undefined when the operator named a Redis that runs elsewhere. */
export async function ensureRedis(args) {
  const named =
    process.env.HIVE_REDIS_URL || args.some((word) => /^--(hive-)?redis-url(=|$)/i.test(word));
  if (named) return undefined;
  const found = findProgram(...SERVERS);
  if (found) return found;
  const installed = await ensureProgram('redis', SERVERS, 'the hive needs a Redis server');
  stopSystemService();
  return installed;
}

/** Debian's package starts a server of its own on port 6379, which nobody asked for and the hive does not use. */
function stopSystemService() {
  const quiet = { stdio: 'ignore', timeout: 20_000 };
  const systemctl = spawnSync('systemctl', ['disable', '--now', 'redis-server.service'], quiet);
  if (systemctl.status !== 0) spawnSync('service', ['redis-server', 'stop'], quiet);
}
