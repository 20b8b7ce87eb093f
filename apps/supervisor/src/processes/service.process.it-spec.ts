import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ManualClock } from '#libs/service';

import { verifies } from '../../../../test/requirements/verifies.js';
import { ServiceProcess, type ServicePlan } from './service.process.js';

/** Programs that a service may be, as scripts for `node -e`. */
const WORKS =
  "process.send({type: 'ready'}); process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1e6)";
const DEAF =
  "process.on('SIGTERM', () => {}); process.send({type: 'ready'}); setInterval(() => {}, 1e6)";
const REFUSES =
  "process.send({type: 'failed', message: 'port 7000 is taken'}, () => process.exit(1))";
const FALLS = 'process.exit(7)';
const SILENT = 'setInterval(() => {}, 1e6)';

describe(verifies('10.1') + 'a supervised process', () => {
  let clock: ManualClock;
  let service: ServiceProcess | undefined;
  let deaths: { how: string; pauseMs: number }[];
  let spawned: number[];
  let output: string;

  beforeEach(() => {
    clock = new ManualClock();
    deaths = [];
    spawned = [];
    output = '';
  });
  afterEach(async () => {
    service?.forceStop();
    clock.advance(1000);
    await service?.whenGone;
  });

  function make(script: string, plan: Partial<ServicePlan> = {}): ServiceProcess {
    service = new ServiceProcess(
      {
        name: 'example',
        launch: { program: process.execPath, args: ['-e', script] },
        env: {},
        ...plan,
      },
      clock,
      undefined,
      {
        onSpawn: (_service, pid) => spawned.push(pid),
        onChange: () => {},
        onDeath: (_service, how, pauseMs) => deaths.push({ how, pauseMs }),
        onOutput: (_service, _stream, chunk) => {
          output += chunk.toString();
        },
      },
    );
    return service;
  }

  it('is running once it says that it is ready', async () => {
    const running = make(`console.log('hello'); ${WORKS}`);
    await running.start();
    expect(running).toMatchObject({ state: 'running', pid: spawned[0], startedAt: clock.now() });
    await expect.poll(() => output).toBe('hello\n');
  });

  it('is not started twice when a restart is under way already', async () => {
    const again = make(WORKS);
    await again.start();
    process.kill(spawned[0] ?? 0, 'SIGKILL');
    await expect.poll(() => again.state).toBe('restarting');
    clock.advance(deaths[0]?.pauseMs ?? 0);
    await again.start();
    expect([again.state, again.pid, spawned.length]).toEqual(['running', spawned[1], 2]);
  });

  it('ends at SIGTERM and is not started again', async () => {
    const running = make(WORKS);
    await running.start();
    await running.stop();
    clock.advance(60_000);
    expect([running.state, spawned.length, deaths.length]).toEqual(['stopped', 1, 0]);
  });

  it('is killed when it does not heed SIGTERM in time', async () => {
    const running = make(DEAF);
    await running.start();
    const stopped = running.stop();
    clock.advance(22_000);
    await stopped;
    expect(running.state).toBe('stopped');
  });

  it.each([
    [REFUSES, 'port 7000 is taken'],
    [FALLS, 'it ended while it started (exit code 7)'],
  ])('says why it did not start (%s)', async (script, reason) => {
    const refused = make(script);
    await expect(refused.start()).rejects.toThrow(reason);
    expect([refused.state, spawned.length]).toEqual(['stopped', 1]);
  });

  it('is given up when it is not ready within a minute', async () => {
    const slow = make(SILENT);
    const started = slow.start();
    clock.advance(60_000);
    await expect(started).rejects.toThrow('it was not ready within 60 s');
  });

  it('says that its program cannot be run', async () => {
    const missing = make('', { launch: { program: '/nonexistent/program', args: [] } });
    await expect(missing.start()).rejects.toThrow('it cannot be run');
  });

  it('is started again after a pause that grows', async () => {
    const running = make(WORKS);
    await running.start();
    for (const [n, pauseMs] of [200, 400, 800].entries()) {
      process.kill(running.pid ?? 0, 'SIGKILL');
      await expect.poll(() => deaths.length).toBe(n + 1);
      expect(deaths[n]).toEqual({ how: 'killed by SIGKILL', pauseMs });
      expect(running.state).toBe('restarting');
      clock.advance(pauseMs - 1);
      expect(spawned).toHaveLength(n + 1);
      clock.advance(1);
      await expect.poll(() => running.state).toBe('running');
      expect([running.pid, running.restarts]).toEqual([spawned[n + 1], n + 1]);
    }
  });

  it('is stopped while it waits to be started again', async () => {
    const running = make(WORKS);
    await running.start();
    process.kill(running.pid ?? 0, 'SIGKILL');
    await expect.poll(() => running.state).toBe('restarting');
    await running.stop();
    clock.advance(60_000);
    expect([running.state, spawned.length]).toEqual(['stopped', 1]);
  });

  it('has a session of its own, so that Ctrl-C in the terminal does not reach it', async () => {
    const running = make(
      `console.log(require('fs').readFileSync('/proc/self/stat', 'latin1').split(' ').slice(4, 6).join(' ')); ${WORKS}`,
    );
    await running.start();
    await expect.poll(() => output).toBe(`${running.pid} ${running.pid}\n`);
  });
});
