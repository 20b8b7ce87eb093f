import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { C0reAnswers } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { C0reFixture, lives } from '../testing/c0re.fixture.js';
import { C0reProcess } from '../testing/c0re.process.js';
import { builtHarness } from '../testing/readable-copy.js';

/** The machine may be busy. */
const PATIENT = { timeout: 20_000 };

let hive: C0reFixture;
let c0re: C0reProcess;

beforeEach(async () => {
  hive = new C0reFixture();
  hive.env.HIVE_HARNESS_MAIN = builtHarness(hive.root);
  // Nobody listens there: the harness keeps trying, as it does while a gateway restarts.
  hive.env.HIVE_GATEWAY_URL = 'http://127.0.0.1:9';
  c0re = new C0reProcess(hive);
  await c0re.ready();
});
afterEach(async () => {
  await hive.post('admin', '/v1/agents/stop-all').catch(() => {});
  await c0re.end('SIGKILL');
  await hive.remove();
});

/** Instances whose harness has said something in the log. */
async function speaking(): Promise<(number | undefined)[]> {
  const url = '/v1/agents/ada/journal';
  const { lines } = await hive.getJson<C0reAnswers['journal']>('admin', url);
  return lines.map((line) => (JSON.parse(line) as { instance?: number }).instance);
}

describe(verifies('4.1', '5.1', 'P28') + 'the harness of this build', () => {
  it('starts, outlives c0re, comes back from SIGKILL, and stops within its bound', async () => {
    await hive.spawn('ada', ['cat']);
    await expect.poll(speaking, PATIENT).toContain(1);
    const { pid, instance } = await hive.agent('ada');
    await c0re.end('SIGKILL');
    c0re = new C0reProcess(hive);
    await c0re.ready();
    expect(await hive.agent('ada')).toMatchObject({ state: 'running', pid, instance });

    process.kill(pid as number, 'SIGKILL');
    await expect.poll(speaking, PATIENT).toContain(2);
    const next = (await hive.agent('ada')).pid as number;
    const stop = await hive.verb('ada', 'stop');
    expect(stop).toMatchObject({ state: 'done', error: null });
    expect(lives(next)).toBe(false);
    // It ended by itself: SIGKILL would have come after 8 s.
    const tookMs = Date.parse(stop.ended_at ?? '') - Date.parse(stop.started_at ?? '');
    expect(tookMs).toBeLessThan(7000);
  });
});
