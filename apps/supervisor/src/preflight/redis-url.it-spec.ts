import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { pingRedis } from '../redis/redis-ping.js';
import { findRedisServer } from './programs.check.js';
import { checkRedisUrl } from './redis-url.check.js';

describe(verifies('P36', '10.1') + 'a Redis that the operator named', () => {
  let folder: string;
  let redis: ChildProcess | undefined;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hive-redis-url-'));
  });
  afterEach(async () => {
    if (redis?.exitCode === null) {
      redis.kill();
      await once(redis, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  });

  /** Starts one on a free port and on a unix socket; returns the port. */
  async function start(password: string): Promise<number> {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, 'close');
    const settings = { port, bind: '127.0.0.1', dir: folder, save: '', requirepass: password };
    const socket = ['--unixsocket', path.join(folder, 'r.sock')];
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    redis = spawn(findRedisServer(undefined), [...args, ...socket], { stdio: 'ignore' });
    const isUp = () =>
      pingRedis(`redis://${password && `:${password}@`}127.0.0.1:${port}`).then(() => true);
    await expect.poll(() => isUp().catch(() => false), { timeout: 20_000 }).toBe(true);
    return port;
  }

  it('is refused on the network when it takes commands of anybody', async () => {
    const port = await start('');
    const refused = checkRedisUrl(`redis://127.0.0.1:${port}`);
    await expect(refused).rejects.toThrow(/takes commands without a password/);
    await expect(checkRedisUrl(`unix://${folder}/r.sock`)).resolves.toBeUndefined();
  });

  it('is taken when it wants a password and got it', async () => {
    const port = await start('hidden-word');
    await expect(checkRedisUrl(`redis://:hidden-word@127.0.0.1:${port}`)).resolves.toBeUndefined();
    const refused = checkRedisUrl(`redis://:wrong@127.0.0.1:${port}`);
    await expect(refused).rejects.toThrow(/does not answer: WRONGPASS/);
  });
});
