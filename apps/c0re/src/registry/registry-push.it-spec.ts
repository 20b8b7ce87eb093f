import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { C0reAnswers, C0reHealth, RegistryAgent } from '#libs/protocol';
import { ManualClock, systemClock, type Clock } from '#libs/service';

import { verifies } from '../../../../test/requirements/verifies.js';
import { AgentRepository } from '../agents/agent.repository.js';
import { C0reFixture, lives } from '../testing/c0re.fixture.js';
import { FakeBroker } from '../testing/fake-broker.js';

/** The machine may be busy. */
const PATIENT = { timeout: 20_000 };

let hive: C0reFixture;
let broker: FakeBroker;

beforeEach(async () => {
  hive = await C0reFixture.started();
  broker = new FakeBroker(hive.runtimeDir);
});
afterEach(async () => {
  await hive.remove();
  await broker.close();
});

const inStep = async () =>
  (await hive.getJson<C0reHealth>('admin', '/v1/health')).broker_in_step === true;
const entry = (name: string): RegistryAgent | undefined =>
  [...broker.agents.values()].find((agent) => agent.name === name);
const destroy = async (name: string) =>
  (await hive.post<C0reAnswers['operation']>('admin', `/v1/agents/${name}/destroy`)).operation;

describe(verifies('P26') + 'the registry at the broker', () => {
  it('is pushed whole after each connect', async () => {
    await hive.spawn('ada');
    await hive.operation('/v1/agents', { name: 'ext', config: { driver: 'external' } });
    await broker.listen();
    await expect.poll(inStep, PATIENT).toBe(true);
    expect(broker.calls[0]).toBe('put_registry');
    const { agent_id } = await hive.agent('ada');
    expect(entry('ada')).toEqual({
      agent_id,
      name: 'ada',
      role: 'agent',
      driver: 'command',
      model: null,
      container: 'process',
      token_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      state: 'running',
      reason: '',
      instance: 1,
      allowed_recipients: [],
      quiet_window_ms: 250,
      inbox_limit: 1000,
      sends_per_minute: 60,
      send_burst: 20,
      reminders_pending: 50,
      reminders_per_hour: 60,
      reminder_burst: 10,
      run_dir: hive.agentPath('ada', 'run'),
      deployed_sha: expect.stringMatching(/^[0-9a-f]{40}$/),
    });
    expect(entry('ext')).toMatchObject({ driver: 'external', container: null, state: 'running' });

    await broker.close();
    await hive.verb('ada', 'stop');
    broker = new FakeBroker(hive.runtimeDir);
    await broker.listen();
    await expect.poll(inStep, PATIENT).toBe(true);
    expect(entry('ada')).toMatchObject({ state: 'stopped', instance: 1 });
  });

  it('hears of each change, in order, before the operation is reported done', async () => {
    await broker.listen();
    await expect.poll(inStep, PATIENT).toBe(true);
    await hive.spawn('ada');
    expect(entry('ada')).toMatchObject({ state: 'running', instance: 1 });
    expect(await hive.verb('ada', 'stop')).toMatchObject({ state: 'done' });
    expect(entry('ada')).toMatchObject({ state: 'stopped' });
    expect(broker.calls.filter((call) => call.startsWith('put'))).toEqual([
      'put_registry',
      'put_agent ada stopped',
      'put_agent ada starting',
      'put_agent ada running',
      'put_agent ada stopping',
      'put_agent ada stopped',
    ]);
    expect(broker.revision).toBe(hive.get(AgentRepository).revision());
  });

  it('is pushed whole again when the broker missed a change', async () => {
    await broker.listen();
    await expect.poll(inStep, PATIENT).toBe(true);
    broker.revision += 5;
    await hive.spawn('ada');
    expect(broker.calls.filter((call) => call === 'put_registry').length).toBeGreaterThan(1);
    expect(entry('ada')).toMatchObject({ state: 'running' });
    expect(broker.revision).toBe(hive.get(AgentRepository).revision());
  });

  it('knows the agent and its new instance before the harness starts', async () => {
    await broker.listen();
    await expect.poll(inStep, PATIENT).toBe(true);
    await hive.spawn('ada', ['exit', '0']);
    await expect.poll(() => entry('ada')?.instance, PATIENT).toBeGreaterThan(2);
    const order = broker.calls.filter((call) => /starting|running|crashed|ended/.test(call));
    expect(order.slice(0, 4)).toEqual([
      'put_agent ada starting',
      'put_agent ada running',
      expect.stringMatching(/put_agent ada crashed|instance_ended 1/),
      expect.stringMatching(/put_agent ada crashed|instance_ended 1/),
    ]);
  });
});

describe(verifies('P26') + 'the comparison every minute', () => {
  it('finds a copy that differs, and repairs it', async () => {
    const manual = new ManualClock();
    // Processes live in real time; only the minute is moved by hand.
    const clock: Clock = {
      ...systemClock,
      after: (ms, run) => (ms === 60_000 ? manual.after(ms, run) : systemClock.after(ms, run)),
    };
    const other = await C0reFixture.started({ clock });
    const itsBroker = new FakeBroker(other.runtimeDir);
    await itsBroker.listen();
    await other.spawn('ada');
    await expect.poll(() => itsBroker.agents.size, PATIENT).toBe(1);
    itsBroker.agents.clear();
    const minuteLater = () => {
      manual.advance(60_000);
      return itsBroker.agents.size;
    };
    await expect.poll(minuteLater, PATIENT).toBe(1);
    const pushes = itsBroker.calls.filter((call) => call === 'put_registry').length;
    const compared = itsBroker.compared;
    await expect.poll(() => minuteLater() && itsBroker.compared, PATIENT).toBe(compared + 2);
    expect(itsBroker.calls.filter((call) => call === 'put_registry')).toHaveLength(pushes);
    await other.remove();
    await itsBroker.close();
  });
});

describe(verifies('P4', 'P6') + 'a harness that is gone', () => {
  it('is reported once, also when the broker was away', async () => {
    await hive.spawn('ada');
    await hive.verb('ada', 'restart');
    const { agent_id } = await hive.agent('ada');
    await broker.listen();
    await expect.poll(() => broker.ended, PATIENT).toEqual([{ agent_id, instance: 1 }]);
    process.kill((await hive.agent('ada')).pid as number, 'SIGKILL');
    await expect.poll(() => broker.ended.length, PATIENT).toBe(2);
    expect(broker.ended[1]).toEqual({ agent_id, instance: 2 });
    await broker.close();
    broker = new FakeBroker(hive.runtimeDir);
    await broker.listen();
    const next = async () => {
      const { instance, state } = await hive.agent('ada');
      return `${instance} ${state}`;
    };
    await expect.poll(next, PATIENT).toBe('3 running');
    await hive.verb('ada', 'stop');
    await expect.poll(() => broker.ended.map(({ instance }) => instance), PATIENT).toEqual([3]);
  });
});

describe(verifies('P4') + 'what a crashed harness left', () => {
  it('is ended before the broker may hand its messages to another', async () => {
    await broker.listen();
    await hive.spawn('ada', ['family']);
    await expect.poll(() => hive.noted('ada', 'grandchild'), PATIENT).toBeGreaterThan(0);
    const grandchild = hive.noted('ada', 'grandchild') as number;
    let livedAtEnd: boolean | undefined;
    broker.onEnded = () => {
      livedAtEnd ??= lives(grandchild);
    };
    expect(lives(grandchild)).toBe(true);
    process.kill((await hive.agent('ada')).pid as number, 'SIGKILL');
    await expect.poll(() => livedAtEnd, PATIENT).toBe(false);
  });
});

describe(verifies('P25') + 'destroy', () => {
  it('is done only when the broker has ended the incarnation', async () => {
    await hive.spawn('ada');
    const { id } = await destroy('ada');
    const stateOf = async () => {
      const url = '/v1/operations';
      const { operations } = await hive.getJson<C0reAnswers['operations']>('admin', url);
      return operations.find((operation) => operation.id === id)?.state;
    };
    await hive.spawn('bob');
    expect(await stateOf()).toBe('running');
    await broker.listen();
    await expect.poll(stateOf, PATIENT).toBe('done');
    expect(entry('ada')).toBeUndefined();
    expect(entry('bob')).toBeDefined();
  });

  it('is finished after a restart of c0re in the middle', async () => {
    await hive.spawn('ada');
    const { id } = await destroy('ada');
    await expect.poll(() => hive.get(AgentRepository).byName('ada'), PATIENT).toBeUndefined();
    await hive.stop();
    await hive.start();
    await broker.listen();
    await expect.poll(() => broker.statesOf(id).at(-1), PATIENT).toBe('done');
  });

  it('reaches a broker that is there as the end of that incarnation', async () => {
    await broker.listen();
    await expect.poll(inStep, PATIENT).toBe(true);
    await hive.spawn('ada');
    expect(await hive.verb('ada', 'destroy')).toMatchObject({ state: 'done' });
    expect(entry('ada')).toMatchObject({ state: 'destroyed' });
  });
});

describe(verifies('P27', 'P38') + 'operations as events', () => {
  it('are published in all their states, those of the time without a broker as they ended', async () => {
    const early = await hive.spawn('ada');
    await broker.listen();
    await expect.poll(() => broker.statesOf(early.id), PATIENT).toEqual(['done']);
    const late = await hive.verb('ada', 'stop');
    await expect.poll(() => broker.statesOf(late.id).at(-1), PATIENT).toBe('done');
    const versions = broker.events.flatMap((event) =>
      event.kind === 'operation_changed' && event.operation.id === late.id
        ? [event.operation.version]
        : [],
    );
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(new Set(versions).size).toBe(versions.length);
  });
});
