import { chownSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { HiveUsers } from '../home/hive-users.js';
import type { RuntimeFolder } from '../home/runtime-folder.js';
import type { ServicePlan } from '../processes/service.process.js';
import { pingRedis } from './redis-ping.js';
import { accountUrl, type RedisPasswords } from './redis.accounts.js';
import { redisConf } from './redis.conf.js';

export interface PrivateRedis {
  program: string;
  home: string;
  runtime: RuntimeFolder;
  users: HiveUsers;
  passwords: RedisPasswords;
}

/** Pause between two looks whether a Redis that starts takes commands: it reads its file first. */
const LOOK_EVERY_MS = 50;

/** Writes the settings of the private Redis and says how it is run. */
export function redisPlan({ program, home, runtime, users, passwords }: PrivateRedis): ServicePlan {
  const socket = runtime.sockets['redis'] ?? '';
  const user = users.of('redis');
  const file = path.join(runtime.path, 'redis.conf');
  const folder = path.join(home, 'redis');
  // Beside the folder of its socket, not in it: Redis may read its settings, and cannot change them.
  writeFileSync(file, redisConf({ socket, folder, passwords, shared: user !== undefined }), {
    mode: user === undefined ? 0o600 : 0o640,
  });
  if (user !== undefined) chownSync(file, process.geteuid?.() ?? 0, user);
  const opsUrl = accountUrl(socket, 'ops', passwords);
  writeFileSync(path.join(home, 'secrets', 'redis-url'), `${opsUrl}\n`, { mode: 0o600 });
  return {
    name: 'redis',
    launch: { program, args: [file], user, signalOnDeath: 'TERM' },
    env: { PATH: process.env['PATH'] ?? '', LANG: 'C' },
    untilReady: (signal) => untilAnswers(opsUrl, signal),
  };
}

async function untilAnswers(url: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await pingRedis(url);
      return;
    } catch {
      await sleep(LOOK_EVERY_MS);
    }
  }
}
