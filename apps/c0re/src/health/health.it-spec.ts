import { spawn, type ChildProcess } from 'node:child_process';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { AGENT_MARK_VARIABLE, type AgentSign, type SelfCheck as Report } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { C0reDatabase } from '../database/c0re.database.js';
import { AgentMaker } from '../lifecycle/agent-maker.service.js';
import { C0reFixture } from '../testing/c0re.fixture.js';
import { FakeBroker } from '../testing/fake-broker.js';

/** The machine may be busy. */
const PATIENT = { timeout: 20_000 };

let hive: C0reFixture;
let broker: FakeBroker;
const strangers: ChildProcess[] = [];

beforeEach(async () => {
  hive = new C0reFixture({ timings: { watchMs: 30, silentMs: 200 } });
  broker = new FakeBroker(hive.runtimeDir);
  await broker.listen();
  await hive.start();
});
afterEach(async () => {
  for (const { pid } of strangers.splice(0)) process.kill(pid ?? 0, 'SIGKILL');
  await hive.remove();
  await broker.close();
});

const sign = (change: Partial<AgentSign> = {}): AgentSign => ({
  agent_id: '1',
  instance: 1,
  turn_state: 'idle',
  turn: false,
  is_heard: true,
  hyperhive_rev: 'test-rev',
  ...change,
});
const signs = (watched_ms: number, ...agents: AgentSign[]) => {
  broker.signs = { watched_ms, agents };
};
const news = () => broker.news.map(({ event, body }) => `${event}: ${body}`);
const check = async () => (await hive.getJson<Report>('admin', '/v1/self-check')).problems;

/** A process that bears the mark of an agent of this hive. */
async function stranger(agentId: number, env: Record<string, string> = {}): Promise<void> {
  const mark = `${hive.get(C0reDatabase).hiveId}:${agentId}`;
  const child = spawn('sleep', ['1000'], { env: { ...env, [AGENT_MARK_VARIABLE]: mark } });
  strangers.push(child);
  await new Promise((resolve) => child.once('spawn', resolve));
}

describe(verifies('4.8') + 'the loop of a harness', () => {
  it('that gives no sign of life is ended and started again, and the manager is told once', async () => {
    await hive.spawn('ada');
    signs(10_000, sign({ is_heard: false }));
    await expect.poll(async () => (await hive.agent('ada')).instance, PATIENT).toBe(2);
    signs(10_000, sign());
    await expect.poll(async () => (await hive.agent('ada')).state, PATIENT).toBe('running');
    const crashes = news().filter((text) => text.startsWith('container_crash'));
    expect(crashes).toEqual([expect.stringContaining('its loop gave no sign of life')]);
  });

  it('is not judged while no gateway could have heard it', async () => {
    await hive.spawn('ada');
    signs(100, sign({ is_heard: false }));
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(await hive.agent('ada')).toMatchObject({ state: 'running', instance: 1 });
  });
});

describe(verifies('4.10') + 'the manager', () => {
  it('hears of a login that is missing and of one that came, once each', async () => {
    await hive.spawn('ada');
    for (const turn_state of ['needs_login', 'needs_login', 'idle', 'idle'] as const) {
      signs(0, sign({ turn_state }));
      const expected = turn_state === 'idle' ? 'logged_in' : 'needs_login';
      await expect.poll(() => news().at(-1), PATIENT).toContain(expected);
    }
    const logins = news().filter((text) => /^(needs_login|logged_in)/.test(text));
    expect(logins).toHaveLength(2);
  });

  it('hears of a harness of an older hive once', async () => {
    await hive.spawn('ada');
    signs(0, sign({ hyperhive_rev: 'older' }));
    await expect.poll(() => news().at(-1), PATIENT).toContain('needs_update');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(news().filter((text) => text.startsWith('needs_update'))).toHaveLength(1);
  });
});

describe(verifies('8.6') + 'the self-check', () => {
  it('finds nothing in a hive that is in order', async () => {
    await hive.spawn('ada');
    await hive.spawn('bob');
    await hive.verb('bob', 'stop');
    signs(0, sign({ turn: true }), sign({ agent_id: '2' }));
    expect(await check()).toEqual([]);
  });

  it('finds a container without a record, and one that should not run', async () => {
    await hive.spawn('ada');
    await hive.verb('ada', 'stop');
    await stranger(99);
    await stranger(1);
    expect((await check()).map(({ message }) => message)).toEqual([
      'something of agent 99 runs, which does not exist',
      'ada is stopped, and 1 processes of it run',
    ]);
  });

  it('finds a turn without a process, and a process without a turn', async () => {
    await hive.spawn('ada');
    await hive.verb('ada', 'stop');
    await hive.spawn('bob');
    await stranger(2, { HIVE_TURN_ID: 't9' });
    signs(0, sign({ turn: true }), sign({ agent_id: '2' }));
    expect(await check()).toEqual([
      { check: 'turn', message: 'ada has a running turn and no process' },
      { check: 'turn', message: 'bob has a process of a turn, and no running turn' },
    ]);
  });

  it('goes on when one agent cannot be looked at', async () => {
    await hive.spawn('ada');
    await hive.spawn('bob');
    await hive.verb('bob', 'stop');
    await stranger(2);
    const maker = hive.get(AgentMaker);
    const owner = maker.owner.bind(maker);
    vi.spyOn(maker, 'owner').mockImplementation((agent) => {
      if (agent.name === 'ada') throw new Error('no look');
      return owner(agent);
    });
    expect((await check()).map(({ message }) => message)).toEqual([
      'ada could not be looked at: no look',
      'bob is stopped, and 1 processes of it run',
    ]);
    vi.restoreAllMocks();
  });
});
