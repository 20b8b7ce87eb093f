import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { verifies } from '../requirements/verifies.js';
import { standInStarts } from './stand-in/stand-in-starts.js';
import { isAlive, processesOf, SupervisorRun, type RunOptions } from './stand-in/supervisor-run.js';

const isRoot = process.geteuid?.() === 0;
const SERVICES = ['redis', 'c0re', 'broker', 'gateway', 'scheduler', 'dashboard'];

/** User that a process runs as. */
function owner(pid: number): number {
  return statSync(`/proc/${pid}`).uid;
}

describe('npm start, from the supervisor on', () => {
  const starts = standInStarts();
  const { begin, ready } = starts;

  /** Starts what must be refused; returns what it printed. */
  async function refused(options?: RunOptions): Promise<string> {
    const run = await begin(options);
    expect(await run.ended).toBe(1);
    expect(run.hiveFile()).toBeUndefined();
    return run.output;
  }

  describe(verifies('10.1') + 'when all is well', () => {
    it('starts every service, prints one block and keeps hive.json while it is up', async () => {
      const run = await ready();
      const file = run.hiveFile();
      expect(file?.services.map(({ name }) => name)).toEqual(expect.arrayContaining(SERVICES));
      expect(file).toMatchObject({
        dashboard_url: `http://127.0.0.1:${run.ports.dashboard}`,
        gateway_url: `http://127.0.0.1:${run.ports.gateway}`,
        supervisor_pid: run.pid,
      });
      expect(run.pids().every(isAlive)).toBe(true);
      expect(run.output).toContain(`http://127.0.0.1:${run.ports.dashboard}/login?token=one-time`);
      expect(run.output).toContain(run.home);
      expect(readFileSync(path.join(run.home, 'run/hive.json'), 'utf8')).not.toMatch(
        /token|password|one-time|@/,
      );
    });

    it('ends everything in order at Ctrl-C, exits with 0 and leaves nothing', async () => {
      const run = await ready();
      const { sockets = {} } = run.hiveFile() ?? {};
      const pids = run.pids();
      expect(await run.stop()).toBe(0);
      expect(pids.filter(isAlive)).toEqual([]);
      expect(processesOf(starts.clone.path)).toEqual([]);
      expect(run.hiveFile()).toBeUndefined();
      expect(
        readdirSync(path.join(run.home, 'run')).filter((name) => /sock|json/.test(name)),
      ).toEqual([]);
      expect(existsSync(path.dirname(path.dirname(sockets['c0re-admin'] ?? '')))).toBe(false);
      const stops = [...run.log('supervisor').matchAll(/"msg":"(\w+) is stopped"/g)];
      expect(stops.map((match) => match[1])).toEqual([
        'gateway',
        'scheduler',
        'dashboard',
        'broker',
        'c0re',
        'redis',
      ]);
      expect(run.log('c0re')).toMatch(/stops the agents[^]*ends: SIGTERM/);
    });

    it('takes one Ctrl-C that arrives twice, from the terminal and from npm, as one', async () => {
      const run = await ready();
      // Two of the same could reach it as one; of two kinds both do.
      run.child.kill('SIGINT');
      run.child.kill('SIGTERM');
      expect(await run.ended).toBe(0);
    });

    it('stops at SIGTERM, and when the process that started it is gone', async () => {
      const first = await ready();
      first.child.kill('SIGTERM');
      expect(await first.ended).toBe(0);
      const second = await ready();
      second.child.stdin?.destroy();
      expect(await second.ended).toBe(0);
      expect(processesOf(starts.clone.path)).toEqual([]);
    });

    it('stops cleanly while it still starts', async () => {
      starts.clone.wish({ broker: { slow: true } });
      const run = await begin();
      await expect.poll(() => run.output, { timeout: 20_000 }).toContain('c0re');
      expect(await run.stop()).toBe(0);
      expect(run.output).not.toContain('is ready');
      expect(processesOf(starts.clone.path)).toEqual([]);
    });

    it('is forced by a second Ctrl-C', async () => {
      starts.clone.wish({ gateway: { deaf: true } });
      const run = await ready();
      const pids = run.pids();
      run.child.kill('SIGINT');
      await expect.poll(() => run.log('gateway')).toContain('is deaf');
      const again = setInterval(() => run.child.kill('SIGINT'), 100);
      expect(await run.ended).toBe(1);
      clearInterval(again);
      await expect.poll(() => pids.filter(isAlive)).toEqual([]);
      expect(processesOf(starts.clone.path)).toEqual([]);
    });

    it('gives no service more of the environment than it needs', async () => {
      starts.clone.wish({ broker: { env: true }, c0re: { env: true } });
      const run = await ready({
        env: { SECRET_OF_THE_SHELL: 'x', HIVE_OPERATOR_TOKEN: 'operator-secret' },
      });
      expect(run.log('broker')).toContain('HIVE_REDIS_URL');
      expect(run.log('broker')).not.toMatch(/SECRET_OF_THE_SHELL|operator-secret/);
      expect(run.log('c0re')).toContain('operator-secret');
      expect(run.log('c0re')).not.toMatch(/SECRET_OF_THE_SHELL|HIVE_REDIS_URL/);
    });

    it('runs two hives side by side', async () => {
      const one = await ready();
      const two = await ready({ env: { HIVE_HOME: './second' } });
      expect(two.hiveFile()?.sockets['c0re-admin']).not.toBe(one.hiveFile()?.sockets['c0re-admin']);
      const separate = owner(one.service('broker').pid) !== owner(two.service('broker').pid);
      expect(separate).toBe(isRoot);
      expect(await one.stop()).toBe(0);
      expect(two.pids().every(isAlive)).toBe(true);
    });
  });

  describe(verifies('10.1', '8.5') + 'when something is wrong', () => {
    it('lists every bad setting in one message', async () => {
      const output = await refused({
        args: ['--log-level', 'loud', '--gatway-port', '7001'],
        env: { HIVE_DASHBOARD_PORT: '70000', HIVE_REDIS_URL: 'http://u:hidden-word@host' },
      });
      for (const part of [
        'HIVE_LOG_LEVEL="loud": allowed are trace',
        '"--gatway-port": there is no such option',
        'HIVE_DASHBOARD_PORT="70000": allowed are whole numbers from 1 to 65535',
        'HIVE_REDIS_URL=',
      ]) {
        expect(output).toContain(part);
      }
      expect(output).not.toContain('hidden-word');
    });

    it('says which port is in use and how to choose another', async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => other.once('listening', resolve));
      const { port } = other.address() as { port: number };
      const output = await refused({ args: ['--gateway-port', String(port)] });
      expect(output).toMatch(
        new RegExp(`port ${port} on 127.0.0.1 is in use .* --gateway-port \\d+`),
      );
      other.close();
    });

    it('refuses a second hive on the same home and names the process of the first', async () => {
      const first = await ready();
      const output = await SupervisorRun.begin(starts.clone).then(async (second) => {
        expect(await second.ended).toBe(1);
        return second.output;
      });
      expect(output).toContain(`a hive already runs on ${first.home} (process ${first.pid})`);
      expect(first.pids().every(isAlive)).toBe(true);
      expect(await first.stop()).toBe(0);
    });

    it('says that the Redis it was given does not answer', async () => {
      const output = await refused({
        args: ['--redis-url', 'redis://user:hidden-word@127.0.0.1:1'],
      });
      expect(output).toMatch(
        /the Redis of HIVE_REDIS_URL \(redis:\/\/127.0.0.1:1\) does not answer.*ECONNREFUSED/,
      );
      expect(output).not.toContain('hidden-word');
    });

    it('refuses a home that is a file', async () => {
      writeFileSync(path.join(starts.clone.folder, 'file'), '');
      const output = await refused({ args: ['--home', path.join(starts.clone.folder, 'file')] });
      expect(output).toMatch(/cannot prepare .*file/);
    });

    it('ends what it started when a service cannot start, and says what that said', async () => {
      starts.clone.wish({ broker: { failure: 'the database was made by a newer version' } });
      const output = await refused();
      expect(output).toContain('broker cannot start: the database was made by a newer version');
      expect(output).toContain('logs/broker.log');
      expect(processesOf(starts.clone.path)).toEqual([]);
    });

    it('clears the hive.json of a hive that is gone', async () => {
      mkdirSync(path.join(starts.clone.home, 'run'), { recursive: true });
      writeFileSync(path.join(starts.clone.home, 'run', 'hive.json'), '{"supervisor_pid": 1}');
      starts.clone.wish({ c0re: { failure: 'no' } });
      expect(await refused()).toContain('c0re cannot start: no');
    });
  });

  describe(verifies('10.1', 'P28') + 'when processes are killed', () => {
    it('starts a service again after SIGKILL and says so, whichever it is', async () => {
      const run = await ready();
      for (const name of SERVICES) {
        const before = run.service(name);
        process.kill(before.pid, 'SIGKILL');
        await expect
          .poll(() => run.service(name).state, { message: `state of ${name}` })
          .toBe('restarting');
        await expect
          .poll(() => run.service(name), { timeout: 20_000 })
          .toMatchObject({ state: 'running', restarts: 1 });
        const after = run.service(name);
        expect(after.pid).not.toBe(before.pid);
        expect(isAlive(after.pid)).toBe(true);
        expect(Date.parse(after.started_at)).toBeGreaterThan(Date.parse(before.started_at));
        expect(run.output).toContain(
          `${name} ended (killed by SIGKILL); it is started again in 0.2 s`,
        );
        expect(run.output).toContain(`${name} is back (process ${after.pid})`);
      }
      expect(await run.stop()).toBe(0);
      expect(processesOf(starts.clone.path)).toEqual([]);
    });

    it('leaves nothing running when the supervisor is killed, and the next start works', async () => {
      const run = await ready();
      const pids = run.pids();
      run.child.kill('SIGKILL');
      expect(await run.ended).toBe('SIGKILL');
      await expect.poll(() => pids.filter(isAlive), { timeout: 15_000 }).toEqual([]);
      expect(run.hiveFile()).toBeDefined();
      const next = await ready();
      expect(next.service('broker').pid).not.toBe(pids[2]);
      expect(await next.stop()).toBe(0);
    });

    it('asks a c0re that has just died to stop the agents, as soon as it is back', async () => {
      const run = await ready();
      process.kill(run.service('c0re').pid, 'SIGKILL');
      await expect.poll(() => run.service('c0re').state).toBe('restarting');
      expect(await run.stop()).toBe(0);
      expect(run.log('c0re')).toContain('stops the agents');
    });

    it('ends what an agent left, even when c0re does not', async () => {
      const run = await ready();
      const left = execFileSync('sh', ['-c', 'sleep 600 >/dev/null 2>&1 & echo $!'], {
        env: { PATH: process.env['PATH'], HIVE_STATE_DIR: `${run.home}/agents/worker/state` },
      });
      expect(isAlive(Number(left))).toBe(true);
      expect(await run.stop()).toBe(0);
      expect(isAlive(Number(left))).toBe(false);
      expect(run.output).toContain('1 processes of agents were left');
    });
  });
});
