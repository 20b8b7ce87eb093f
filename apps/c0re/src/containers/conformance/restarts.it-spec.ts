import { existsSync } from 'node:fs';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { C0reAnswers } from '#libs/protocol';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { C0reFixture, lives } from '../../testing/c0re.fixture.js';
import { C0reProcess } from '../../testing/c0re.process.js';
import { PATIENT, REAL_DRIVERS } from '../../testing/driver-bench.js';
import { FakeBroker } from '../../testing/fake-broker.js';

/** The process driver's restarts are tested with c0re's own. */
const ENCLOSED = REAL_DRIVERS.filter((name) => name !== 'process');

describe.each(ENCLOSED)('c0re with the container driver %s', { timeout: 120_000 }, (driver) => {
  let hive: C0reFixture;
  let c0re: C0reProcess;
  let broker: FakeBroker;
  const again = async () => {
    c0re = new C0reProcess(hive);
    await c0re.ready();
  };
  beforeEach(async () => {
    hive = new C0reFixture({ env: { HIVE_CONTAINER_DRIVER: driver } });
    broker = new FakeBroker(hive.runtimeDir);
    await broker.listen();
    await again();
  });
  afterEach(async () => {
    await hive.post('admin', '/v1/agents/stop-all').catch(() => {});
    await c0re.end('SIGKILL');
    await broker.close();
    await hive.remove();
  });

  const running = async () => {
    await expect.poll(async () => (await hive.agent('ada')).state, PATIENT).toBe('running');
    const { pid, instance } = await hive.agent('ada');
    return { pid: pid as number, instance };
  };

  it(
    verifies('P28', '4.3') + 'leaves the agent running when it is killed, and takes it over',
    async () => {
      await hive.spawn('ada', ['family']);
      await expect.poll(() => hive.noted('ada', 'ready.json'), PATIENT).toBeGreaterThan(0);
      const env = hive.noted('ada', 'env.json') as Record<string, string>;
      expect(env['HIVE_STATE_DIR']).toBe('/agents/ada/state');
      const before = await running();
      await c0re.end('SIGKILL');
      expect(lives(before.pid)).toBe(true);
      await again();
      expect(await running()).toEqual(before);
      const journal = await hive.getJson<C0reAnswers['journal']>('admin', '/v1/agents/ada/journal');
      expect(journal.lines).toEqual(['harness ada instance 1']);

      process.kill(before.pid, 'SIGKILL');
      await expect.poll(async () => (await hive.agent('ada')).instance, PATIENT).toBe(2);
      expect((await running()).pid).not.toBe(before.pid);
      expect((await hive.verb('ada', 'stop')).state).toBe('done');
      expect(await hive.agent('ada')).toMatchObject({
        state: 'stopped',
        pid: null,
        container: driver,
      });
    },
  );

  it(
    verifies('4.2', 'P28') + 'takes agents from another driver, and gives them to another',
    async () => {
      const settled = async (container: string, instance: number) => {
        await expect
          .poll(async () => {
            const { state, container: found, instance: number } = await hive.agent('ada');
            return [state, found, number];
          }, PATIENT)
          .toEqual(['running', container, instance]);
        return (await hive.agent('ada')).pid as number;
      };
      await hive.spawn('ada');
      let before = await settled(driver, 1);
      for (const [name, instance] of [
        ['process', 2],
        [driver, 3],
      ] as const) {
        await c0re.end('SIGTERM');
        hive.env.HIVE_CONTAINER_DRIVER = name;
        await again();
        const pid = await settled(name, instance);
        expect(lives(before)).toBe(false);
        before = pid;
      }
    },
  );

  it(verifies('4.1') + 'removes the container with the agent', async () => {
    await hive.spawn('ada');
    const { pid } = await running();
    expect((await hive.verb('ada', 'destroy')).state).toBe('done');
    expect(lives(pid)).toBe(false);
    expect(existsSync(`${hive.home}/containers/1`)).toBe(false);
  });
});
