import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { AgentRecord, C0reAnswers, OperationRow } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { C0reFixture, type Verb } from '../testing/c0re.fixture.js';
import { C0reProcess } from '../testing/c0re.process.js';
import { FakeBroker } from '../testing/fake-broker.js';
import { livingBelow } from '../testing/marked-processes.js';
import { LIFE_STEPS } from './steps.js';

/** The machine may be busy. */
const PATIENT = { timeout: 60_000 };
const STEPS = path.resolve(
  import.meta.dirname,
  '../../../../dist/apps/c0re/src/lifecycle/steps.js',
);

let hive: C0reFixture;
let broker: FakeBroker;
let c0re: C0reProcess;

beforeEach(async () => {
  hive = new C0reFixture();
  broker = new FakeBroker(hive.runtimeDir);
  await broker.listen();
});
afterEach(async () => {
  await hive.post('admin', '/v1/agents/stop-all').catch(() => {});
  await c0re.end('SIGKILL');
  await hive.remove();
  await broker.close();
}, 60_000);

/** A c0re that ends itself as by SIGKILL when that agent reaches that step; without one, one that does not. */
async function start(step?: string, agentId?: number): Promise<void> {
  const code = `import { LifeSteps } from ${JSON.stringify(pathToFileURL(STEPS).href)};
LifeSteps.prototype.reached = (step, id) => {
  if (step === ${JSON.stringify(step)} && id === ${agentId}) process.kill(process.pid, 'SIGKILL');
};`;
  const load =
    step === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(code)}`];
  c0re = new C0reProcess(hive, {}, load);
  await c0re.ready();
}

async function operations(): Promise<OperationRow[]> {
  const answer = await hive.getJson<C0reAnswers['operations']>('admin', '/v1/operations?limit=200');
  return answer.operations;
}

async function agents(): Promise<AgentRecord[]> {
  return (await hive.getJson<C0reAnswers['agents']>('admin', '/v1/agents')).agents;
}

/** Asks for the operation; the answer may die with c0re. */
async function ask(name: string, kind: Verb | 'spawn'): Promise<void> {
  const config = { driver: 'command', command: ['idle'] };
  const asked =
    kind === 'spawn'
      ? hive.post('admin', '/v1/agents', { name, config })
      : hive.post('admin', `/v1/agents/${name}/${kind}`, kind === 'purge' ? { confirm: name } : {});
  await asked.catch(() => {});
}

/** What an agent must have gone through before, from its spawn. */
const BEFORE: Partial<Record<keyof typeof LIFE_STEPS, Verb>> = {
  start: 'stop',
  revive: 'destroy',
  purge: 'destroy',
};

const RUNS = { state: 'running', isKept: false, hasFolder: true, hasToken: true };
/** What is there afterwards, where that is not an agent that runs. */
const ENDS: Partial<Record<keyof typeof LIFE_STEPS, object>> = {
  stop: { ...RUNS, state: 'stopped' },
  destroy: { state: undefined, isKept: true, hasFolder: true, hasToken: false },
  purge: { state: undefined, isKept: false, hasFolder: false, hasToken: false },
};

/** No container without a record, and no record without the container that it says. */
async function assertInStep(): Promise<void> {
  const rows = await agents();
  const running = rows.flatMap(({ pid, state }) => (state === 'running' && pid ? [pid] : []));
  await expect
    .poll(() => livingBelow(hive.home).toSorted((a, b) => a - b), PATIENT)
    .toEqual(running.toSorted((a, b) => a - b));
}

async function assertEnd(kind: keyof typeof LIFE_STEPS, name: string): Promise<void> {
  const last = async () => (await operations()).find((row) => row.agent === name);
  await expect.poll(async () => (await last())?.ended_at, PATIENT).toBeTruthy();
  expect(await last()).toMatchObject({ kind, state: 'done', error: null });
  const agent = (await agents()).find((row) => row.name === name);
  const tombstones = await hive.getJson<C0reAnswers['tombstones']>('admin', '/v1/tombstones');
  const isKept = tombstones.tombstones.some((row) => row.name === name);
  const hasFolder = existsSync(hive.agentPath(name, 'state'));
  const hasToken = existsSync(hive.agentPath(name, 'run', 'token'));
  const found = { state: agent?.state, isKept, hasFolder, hasToken };
  expect(found).toEqual(ENDS[kind] ?? RUNS);
}

describe(verifies('4.1', '4.7', '4.8', 'P27', 'P28') + 'a c0re that is killed goes on with', () => {
  it.each(Object.entries(LIFE_STEPS).map(([kind, steps]) => ({ kind, steps })))(
    'a $kind that was cut off at $steps',
    async ({ kind: text, steps }) => {
      const kind = text as keyof typeof LIFE_STEPS;
      await start();
      const names = steps.map((step) => `a-${step}`);
      const before = BEFORE[kind];
      for (const name of kind === 'spawn' ? [] : names) {
        await hive.spawn(name);
        if (before) await hive.verb(name, before);
      }
      await hive.spawn('other');
      await c0re.end('SIGTERM');
      for (const [index, step] of steps.entries()) {
        const name = names[index] ?? '';
        await start(step, index + (kind === 'spawn' ? 2 : 1));
        await ask(name, kind);
        expect(await c0re.exited, `c0re ends at ${step}`).toBe(null);
        // The next c0re brings it to its end, and is killed in the same operation of the next agent.
        await start();
        await assertEnd(kind, name);
        await c0re.end('SIGTERM');
      }
      await start();
      await assertInStep();
      expect(broker.news.filter(({ event }) => event === 'container_crash')).toEqual([]);
      expect((await hive.agent('other')).instance).toBe(1);
    },
    600_000,
  );
});
