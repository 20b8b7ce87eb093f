import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { redisOptions } from '#libs/queues';
import { systemClock } from '#libs/service';

import { verifies } from '../../../../test/requirements/verifies.js';
import { ensureFolder } from '../home/folders.js';
import { singleUser } from '../home/hive-users.js';
import { makeRuntimeFolder } from '../home/runtime-folder.js';
import { prepareStateFolder } from '../home/state-folder.js';
import { findRedisServer } from '../preflight/programs.check.js';
import { checkRedisUrl } from '../preflight/redis-url.check.js';
import { ServiceProcess } from '../processes/service.process.js';
import { pingRedis } from './redis-ping.js';
import { accountUrl, newPasswords, type RedisAccount } from './redis.accounts.js';
import { redisPlan } from './redis.plan.js';

describe(verifies('10.1', 'P29') + 'the private Redis', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hive-redis-'));
  const home = path.join(folder, 'a "quoted" home');
  const passwords = newPasswords();
  const clients: Redis[] = [];
  let redis: ServiceProcess;
  let socket: string;

  beforeAll(async () => {
    ensureFolder({ path: home, mode: 0o700 });
    prepareStateFolder(home, singleUser);
    const runtime = makeRuntimeFolder(path.join(folder, 'run'), singleUser);
    socket = runtime.sockets['redis'] ?? '';
    const program = findRedisServer(undefined);
    const plan = redisPlan({ program, home, runtime, users: singleUser, passwords });
    redis = new ServiceProcess(plan, systemClock, undefined, {
      onSpawn: () => {},
      onChange: () => {},
      onDeath: () => {},
      onOutput: () => {},
    });
    await redis.start();
  });
  afterAll(async () => {
    for (const client of clients) client.disconnect();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function as(account: RedisAccount): Redis {
    const client = new Redis(redisOptions(accountUrl(socket, account, passwords)));
    clients.push(client);
    return client;
  }

  it('keeps its data safe and takes no TCP connection', async () => {
    const settings = await as('ops').config(
      'GET',
      'port',
      'appendonly',
      'appendfsync',
      'maxmemory-policy',
      'hz',
      'dir',
    );
    expect(settings).toEqual(
      expect.arrayContaining([
        '0',
        'yes',
        'everysec',
        'noeviction',
        '100',
        path.join(home, 'redis'),
      ]),
    );
  });

  it('lets nobody in without an account', async () => {
    await expect(pingRedis(`unix://${socket}`)).rejects.toThrow('NOAUTH');
    await expect(pingRedis(`unix://broker:wrong@${socket}`)).rejects.toThrow('WRONGPASS');
    await expect(pingRedis(accountUrl(socket, 'broker', passwords))).resolves.toBeUndefined();
  });

  it('lets the broker alone write the event stream, and the dashboard read it', async () => {
    await as('broker').xadd('hive:events', '*', 'kind', 'x');
    expect(await as('dashboard').xlen('hive:events')).toBe(1);
    await expect(as('dashboard').xadd('hive:events', '*', 'kind', 'x')).rejects.toThrow('NOPERM');
    await expect(as('scheduler').xlen('hive:events')).rejects.toThrow('NOPERM');
  });

  it('lets the scheduler work the queues, and nothing else', async () => {
    await as('scheduler').set('hive:maintenance:x', '1');
    await expect(as('scheduler').set('elsewhere', '1')).rejects.toThrow('NOPERM');
    await expect(as('scheduler').flushall()).rejects.toThrow('NOPERM');
    await expect(as('scheduler').config('GET', 'dir')).rejects.toThrow('NOPERM');
  });

  it('is refused by name when it does not answer', async () => {
    const gone = `unix://user:hidden@${folder}/gone.sock`;
    await expect(checkRedisUrl(gone)).rejects.toThrow(/does not answer: .*ENOENT/);
    await expect(checkRedisUrl(gone)).rejects.not.toThrow('hidden');
  });
});
