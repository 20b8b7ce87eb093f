import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { systemClock } from '#libs/service';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { lives } from '../../testing/c0re.fixture.js';
import type { ContainerOwner } from '../container-driver.js';
import { readProcess } from './process-table.js';
import { ProcessDriver } from './process.driver.js';

const BOUNDS = { termMs: 2000, leftoversMs: 200, killMs: 5000 };
const PATIENT = { timeout: 20_000 };
const ada: ContainerOwner = { agentId: 7, name: 'ada', user: undefined };
/** What this driver takes no notice of. */
const UNBOUND = {
  mounts: [],
  limits: { memoryBytes: 1, cpus: 1, pids: 1 },
  network: 'none',
} as const;

let folder: string;
let driver: ProcessDriver;
let others: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'c0re-process-'));
  driver = newDriver();
  others = [];
});
afterEach(async () => {
  await driver.stop(ada, undefined, BOUNDS);
  for (const child of others) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

function newDriver(hiveId = path.basename(folder), separateUsers = false): ProcessDriver {
  return new ProcessDriver({ hiveId, clock: systemClock, adoptedPollMs: 20, separateUsers });
}

const start = (script: string, owner = ada, by = driver) =>
  by.start(owner, {
    argv: ['/bin/sh', '-c', script],
    env: { PATH: process.env['PATH'] ?? '' },
    cwd: folder,
    logFile: path.join(folder, 'log'),
    ...UNBOUND,
  });

describe(verifies('P28') + 'adoption', () => {
  it('takes over the very process of the handle, and sees its end', async () => {
    const started = await start('sleep 1000');
    const later = newDriver();
    const adopted = later.adopt(ada, JSON.parse(JSON.stringify(started.handle)));
    expect(adopted?.pid).toBe(started.pid);
    process.kill(started.pid, 'SIGKILL');
    expect(await adopted?.exited).toEqual({ code: null, signal: null });
    expect(await started.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(later.adopt(ada, started.handle)).toBeUndefined();
  });

  it('takes no process of another start, boot, mark or agent', async () => {
    const { handle, pid } = await start('sleep 1000');
    const known = handle as { pid: number; startTicks: number; boot: string };
    const stranger = spawn('sleep', ['1000']);
    others.push(stranger);
    const strangerTicks = readProcess(stranger.pid as number)?.startTicks;
    for (const wrong of [
      null,
      {},
      { ...known, startTicks: known.startTicks + 1 },
      { ...known, boot: 'another' },
      { ...known, pid: stranger.pid },
      { ...known, pid: stranger.pid, startTicks: strangerTicks },
    ]) {
      expect(driver.adopt(ada, wrong)).toBeUndefined();
    }
    expect(driver.adopt({ ...ada, agentId: 8 }, handle)).toBeUndefined();
    expect(driver.adopt(ada, handle)?.pid).toBe(pid);
  });
});

describe(verifies('4.2') + 'the end of a container', () => {
  it('is the end of all of its processes, and of no others', async () => {
    const stranger = spawn('sleep', ['1000'], { detached: true });
    others.push(stranger);
    const bob: ContainerOwner = { agentId: 8, name: 'bob', user: undefined };
    const bobs = await start('sleep 1000', bob);
    const mine = await start('setsid sleep 1000 & (setsid sleep 1000 &) ; sleep 1000');
    await expect.poll(async () => (await driver.inspect(ada, mine)).length, PATIENT).toBe(4);
    const all = await driver.inspect(ada, mine);
    await driver.stop(ada, mine, BOUNDS);
    expect(all.filter((pid) => lives(pid))).toEqual([]);
    expect([lives(stranger.pid as number), lives(bobs.pid)]).toEqual([true, true]);
    await driver.stop(bob, bobs, BOUNDS);
  });

  it('finds the children of a process that cleared its environment, while that one lives', async () => {
    const mine = await start('env -i /bin/sh -c "sleep 1000 & setsid sleep 1000" & wait');
    await expect
      .poll(async () => (await driver.inspect(ada, mine)).length, PATIENT)
      .toBeGreaterThan(2);
    const all = await driver.inspect(ada, mine);
    await driver.stop(ada, mine, BOUNDS);
    expect(all.filter((pid) => lives(pid))).toEqual([]);
  });

  it('does not need to know the container: the mark is enough', async () => {
    await start('trap "" TERM; setsid sleep 1000 & while :; do sleep 1; done');
    await expect.poll(async () => (await driver.inspect(ada)).length, PATIENT).toBeGreaterThan(2);
    expect(await driver.strays()).toEqual([7]);
    await driver.stop(ada, undefined, BOUNDS);
    expect(await driver.inspect(ada)).toEqual([]);
    expect(await driver.strays()).toEqual([]);
  });

  it('ends what was stopped with SIGSTOP', async () => {
    const mine = await start('sleep 1000');
    process.kill(mine.pid, 'SIGSTOP');
    await driver.stop(ada, mine, { ...BOUNDS, termMs: 200 });
    expect(lives(mine.pid)).toBe(false);
  });
});

describe.runIf(process.getuid?.() === 0)(verifies('P29') + 'hives that own the same ids', () => {
  /** A user of the last block, which hardly any hive has. */
  const shared: ContainerOwner = { ...ada, user: 2_080_000_000 + process.pid };
  let here: ProcessDriver;
  let there: ProcessDriver;
  beforeEach(async () => {
    here = newDriver(path.basename(folder), true);
    there = newDriver(`other-${path.basename(folder)}`, true);
    await Promise.all([here.check(), there.check()]);
  });
  afterEach(async () => {
    await here.stop(shared, undefined, BOUNDS);
    await there.stop(shared, undefined, BOUNDS);
  });

  it("spare each other's agents, and end what detached itself from their own", async () => {
    const foreign = await start('(setsid sleep 1000 &) ; sleep 1000', shared, there);
    await expect.poll(async () => (await there.inspect(shared, foreign)).length, PATIENT).toBe(3);
    const theirs = await there.inspect(shared, foreign);
    // Two more that outlive their parent: one with the mark, one that cleared its environment.
    const mine = await start(
      'trap "" TERM; (setsid sleep 1000 &) ; (env -i /usr/bin/setsid /bin/sleep 1000 &) ; sleep 1000',
      shared,
      here,
    );
    await expect.poll(async () => (await here.inspect(shared, mine)).length, PATIENT).toBe(4);
    const all = await here.inspect(shared, mine);
    expect(all.filter((pid) => theirs.includes(pid))).toEqual([]);
    await here.stop(shared, mine, { ...BOUNDS, termMs: 200 });
    expect(all.filter((pid) => lives(pid))).toEqual([]);
    expect(theirs.filter((pid) => !lives(pid))).toEqual([]);
    await there.stop(shared, foreign, BOUNDS);
    expect(theirs.filter((pid) => lives(pid))).toEqual([]);
  });
});

describe(verifies('4.2') + 'a start that cannot be', () => {
  it('fails with the reason and leaves nothing', async () => {
    const program = {
      argv: ['/nonexistent/program'] as const,
      env: {},
      cwd: folder,
      logFile: path.join(folder, 'log'),
      ...UNBOUND,
    };
    await expect(driver.start(ada, program)).rejects.toThrow(/ENOENT/);
    expect(await driver.inspect(ada)).toEqual([]);
  });
});
