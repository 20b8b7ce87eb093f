import { existsSync } from 'node:fs';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { C0reAnswers } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { C0reFixture, lives } from '../testing/c0re.fixture.js';
import { C0reProcess } from '../testing/c0re.process.js';

let hive: C0reFixture;
let c0re: C0reProcess;

beforeEach(async () => {
  hive = new C0reFixture();
  c0re = new C0reProcess(hive);
  await c0re.ready();
});
afterEach(async () => {
  await hive.post('admin', '/v1/agents/stop-all').catch(() => {});
  await c0re.end('SIGKILL');
  await hive.remove();
});

/** A new c0re process on the same home. */
async function again(): Promise<void> {
  c0re = new C0reProcess(hive);
  await c0re.ready();
}

/** Ending what ignores SIGTERM takes its time; c0re's own bounds are in force here. */
const PATIENT = { timeout: 20_000 };

async function running(name: string): Promise<{ pid: number; instance: number }> {
  await expect.poll(async () => (await hive.agent(name)).state, PATIENT).toBe('running');
  const { pid, instance } = await hive.agent(name);
  return { pid: pid as number, instance };
}

describe(verifies('P28') + 'agents outlive c0re', () => {
  it('adopts the running harness after SIGKILL, and still sees it crash', async () => {
    await hive.spawn('ada', ['family']);
    await expect.poll(() => hive.noted('ada', 'grandchild'), PATIENT).toBeGreaterThan(0);
    const before = await running('ada');
    await c0re.end('SIGKILL');
    expect(lives(before.pid)).toBe(true);
    await again();
    expect(await running('ada')).toEqual(before);

    const grandchild = hive.noted('ada', 'grandchild') as number;
    process.kill(before.pid, 'SIGKILL');
    await expect.poll(async () => (await hive.agent('ada')).instance, PATIENT).toBe(2);
    expect((await running('ada')).pid).not.toBe(before.pid);
    expect(lives(grandchild)).toBe(false);
  });

  it('leaves the agents running on SIGTERM and exits 0', async () => {
    await hive.spawn('ada');
    const before = await running('ada');
    expect(await c0re.end('SIGTERM')).toBe(0);
    expect(lives(before.pid)).toBe(true);
    expect(existsSync(hive.socket('admin'))).toBe(false);
    await again();
    expect(await running('ada')).toEqual(before);
  });

  it('keeps what a harness writes while c0re is away', async () => {
    await hive.spawn('ada');
    await expect.poll(() => hive.noted('ada', 'ready.json'), PATIENT).toBeGreaterThan(0);
    const { pid } = await running('ada');
    // Neither c0re's database nor its sockets nor its pipe to the supervisor are open in the harness.
    const files = hive.noted('ada', 'files.json') as [number, string][];
    expect(files.filter(([, file]) => /^socket:|\/db\//.test(file))).toEqual([]);
    await c0re.end('SIGKILL');
    process.kill(pid, 'SIGUSR2');
    await expect.poll(() => hive.noted('ada', 'heard.json'), PATIENT).toBe(true);
    await again();
    const { lines } = await hive.getJson<C0reAnswers['journal']>('admin', '/v1/agents/ada/journal');
    expect(lines).toEqual(['harness ada instance 1', 'still here']);
  });

  it('starts what should run and is gone, and ends what the gone one left', async () => {
    await hive.spawn('ada', ['family']);
    await hive.spawn('bob');
    await hive.verb('bob', 'stop');
    await expect.poll(() => hive.noted('ada', 'grandchild'), PATIENT).toBeGreaterThan(0);
    const grandchild = hive.noted('ada', 'grandchild') as number;
    const before = await running('ada');
    await c0re.end('SIGKILL');
    process.kill(before.pid, 'SIGKILL');
    await again();
    expect((await running('ada')).instance).toBe(2);
    expect(lives(grandchild)).toBe(false);
    expect(await hive.agent('bob')).toMatchObject({ state: 'stopped', instance: 1, pid: null });
  });

  it('goes on with a stop that c0re did not live to finish', async () => {
    await hive.spawn('ada', ['family']);
    await expect.poll(() => hive.noted('ada', 'grandchild'), PATIENT).toBeGreaterThan(0);
    const grandchild = hive.noted('ada', 'grandchild') as number;
    await hive.post('admin', '/v1/agents/ada/stop');
    await c0re.end('SIGKILL');
    expect(lives(grandchild)).toBe(true);
    await again();
    await expect.poll(async () => (await hive.agent('ada')).state, PATIENT).toBe('stopped');
    expect(lives(grandchild)).toBe(false);
  });

  it('ends all of them when the hive stops, and starts them again with it', async () => {
    await hive.spawn('ada', ['family']);
    await hive.spawn('bob');
    const pids = [(await running('ada')).pid, (await running('bob')).pid];
    expect(await hive.post('admin', '/v1/agents/stop-all')).toEqual({ stopped: 2 });
    expect(pids.map((pid) => lives(pid))).toEqual([false, false]);
    expect(await c0re.end('SIGTERM')).toBe(0);
    await again();
    expect((await running('ada')).instance).toBe(2);
    expect((await running('bob')).instance).toBe(2);
  });

  it('ends by itself when the supervisor is gone', async () => {
    expect(await c0re.disconnect()).toBe(0);
  });
});

describe(verifies('8.5') + 'a second c0re', () => {
  it('refuses to start on the same home and says who holds it', async () => {
    const second = new C0reProcess(hive);
    await expect(second.ready()).rejects.toThrow(
      new RegExp(`c0re\\.db is in use by c0re \\(process ${c0re.pid}\\)`),
    );
    expect(await second.exited).toBe(1);
    expect((await hive.spawn('ada')).state).toBe('done');
  });
});

describe(verifies('4.2') + 'what c0re cannot start with', () => {
  it.each([
    [
      { HIVE_CONTAINER_DRIVER: 'docker' },
      /docker is not available yet; available now: sandbox, .*process/,
    ],
    [{ HIVE_CONTAINER_DRIVER: 'chroot' }, /HIVE_CONTAINER_DRIVER="chroot": .* must be one of/],
    [{ HIVE_GATEWAY_URL: 'x', HIVE_LOG_LEVEL: 'y' }, /HIVE_GATEWAY_URL="x"[^]*HIVE_LOG_LEVEL="y"/],
  ])('%j', async (env, message) => {
    const other = new C0reFixture();
    const process = new C0reProcess(other, env);
    await expect(process.ready()).rejects.toThrow(message);
    expect(await process.exited).toBe(1);
    await other.remove();
  });
});
