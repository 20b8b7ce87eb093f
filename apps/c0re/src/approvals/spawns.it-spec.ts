import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { C0reAnswers } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { C0reFixture } from '../testing/c0re.fixture.js';
import { ConfigBench, yamlOf } from '../testing/config-bench.js';
import { FakeBroker } from '../testing/fake-broker.js';
import { refusal } from '../testing/refusal.js';

/** The machine may be busy. */
const PATIENT = { timeout: 20_000 };

let hive: C0reFixture;
let bench: ConfigBench;
let broker: FakeBroker;

beforeEach(async () => {
  hive = new C0reFixture();
  broker = new FakeBroker(hive.runtimeDir);
  await broker.listen();
  await hive.start();
  bench = new ConfigBench(hive);
  await bench.populate();
}, 60_000);
afterEach(async () => {
  await hive.remove();
  await broker.close();
});

const news = () => broker.news.map(({ event, body }) => `${event}: ${body}`);
const sees = (text: RegExp) =>
  expect.poll(news, PATIENT).toContainEqual(expect.stringMatching(text));
const audit = async () => {
  const { audit: rows } = await hive.getJson<C0reAnswers['audit']>('admin', '/v1/audit?limit=20');
  return rows.map(({ who, via, action, target, result }) => [who, via, action, target, result]);
};

describe(verifies('4.1', '4.4', '4.6', '4.10') + 'a new agent that the manager asks for', () => {
  it('begins with a config repository, is spawned from its newest commit, and runs', async () => {
    const init = await bench.ask('init-config', { name: 'eve', description: 'reviews' });
    expect(init).toEqual({ id: 'a1', state: 'pending' });
    expect(existsSync(hive.agentPath('eve'))).toBe(false);
    expect((await bench.show('a1')).diff.diff).toMatch(/\+# Configuration of eve/);
    expect(await bench.approve('a1')).toMatchObject({ state: 'deployed' });
    await sees(/^config_ready: the config repository of eve is ready in .*eve\/config/);
    expect((await refusal(bench.ask('init-config', { name: 'eve' }))).code).toBe('name_taken');

    const sha = bench.commit('eve', { 'agent.yaml': yamlOf(['idle'], 'model: m\n'), 'a/b': 'x' });
    const spawn = await bench.ask('spawn', { name: 'eve' });
    expect(spawn).toMatchObject({ id: 'a2', state: 'pending', sha });
    // What is committed later is not in it.
    bench.commit('eve', { 'agent.yaml': yamlOf(['exit', '1']) });
    expect((await bench.show('a2')).diff.diff).toMatch(/\+model: m/);
    expect(await bench.approve('a2')).toMatchObject({
      state: expect.stringMatching(/build|deploy/),
    });
    await expect.poll(async () => (await bench.approval('a2')).state, PATIENT).toBe('deployed');
    expect(await hive.agent('eve')).toMatchObject({
      state: 'running',
      deployed_sha: sha,
      config: { model: 'm' },
    });
    expect(bench.deployed('eve', 'a/b')).toBe('x');
    expect(bench.main('eve')).toBe(sha);
    expect(bench.tags('eve')).toEqual({
      'proposal/a2': sha,
      'approved/a2': sha,
      'building/a2': sha,
      'deployed/a2': sha,
      'deployed/0': sha,
    });
    await sees(/^spawned: /);
    await sees(/^approval_resolved: approval a2 is done: eve runs/);
    expect(await audit()).toEqual(
      expect.arrayContaining([
        ['manager', 'manager', 'request_init_config', null, 'a1'],
        ['operator', 'admin', 'approve', 'a1', 'deployed'],
        ['manager', 'manager', 'request_spawn', null, 'a2'],
        ['manager', 'manager', 'request_init_config', null, 'name_taken'],
      ]),
    );
  });

  it('without a repository begins with the template', async () => {
    const { id } = await bench.ask('spawn', { name: 'eve' });
    expect((await bench.approval(id)).sha).toBeNull();
    expect((await refusal(bench.approve(id, '0'.repeat(40)))).code).toBe('conflict');
    await bench.approve(id);
    await expect.poll(async () => (await bench.approval(id)).state, PATIENT).toBe('deployed');
    expect(await hive.agent('eve')).toMatchObject({ state: 'running', driver: 'claude' });
    expect(bench.git('eve', 'show', 'main:agent.yaml')).toContain('# Configuration of eve');
    const change = bench.commit('eve', { 'agent.yaml': yamlOf(['idle'], 'model: n\n') });
    const next = await bench.applyCommit('eve', change);
    expect((await bench.approve(next.id)).state).toBe('deployed');
  });

  it('waits when it cannot be made now, and is made when it can', async () => {
    await bench.ask('init-config', { name: 'eve' });
    await bench.approve('a1');
    bench.commit('eve', { 'agent.yaml': yamlOf(['idle'], 'env: {KEY: "secret:KEY"}\n') });
    const { id } = await bench.ask('spawn', { name: 'eve' });
    const error = await refusal(bench.approve(id));
    expect([error.code, error.message]).toEqual([
      'invalid_config',
      expect.stringContaining('secret KEY was not granted'),
    ]);
    expect((await bench.approval(id)).state).toBe('pending');
    const grants = path.join(hive.home, 'secrets', 'agents', 'eve');
    mkdirSync(grants, { mode: 0o700 });
    writeFileSync(path.join(grants, 'KEY'), 'value', { mode: 0o600 });
    await bench.approve(id);
    await expect.poll(async () => (await bench.approval(id)).state, PATIENT).toBe('deployed');
  });

  it('is not made when it is denied', async () => {
    const { id } = await bench.ask('spawn', { name: 'eve' });
    await bench.deny(id, 'we are enough');
    await sees(/^approval_resolved: approval a1 \(spawn for eve\) was denied: "we are enough"/);
    expect(existsSync(hive.agentPath('eve'))).toBe(false);
    expect((await refusal(hive.agent('eve'))).code).toBe('not_found');
  });

  it('is refused where the files of a former one lie', async () => {
    await hive.spawn('eve');
    await hive.verb('eve', 'destroy');
    expect((await refusal(bench.ask('init-config', { name: 'eve' }))).code).toBe('name_taken');
  });
});

describe(verifies('4.5', '4.6') + 'inputs of the deployed state', () => {
  it('are listed, and updated when the operator approves or asks', async () => {
    const inputs = async () =>
      (await hive.getJson<C0reAnswers['meta_inputs']>('admin', '/v1/meta-inputs')).meta_inputs;
    expect(await inputs()).toMatchObject([
      { name: 'hyperhive', rev: 'test-rev', newest: 'test-rev' },
    ]);
    await hive.stop();
    hive.env.HIVE_REV = 'next-rev';
    await hive.start();
    expect(await inputs()).toMatchObject([{ rev: 'test-rev', newest: 'next-rev' }]);
    const { id } = await bench.ask('meta-inputs', { inputs: ['hyperhive'] });
    expect(await bench.approve(id)).toMatchObject({ state: 'deployed', agent: null });
    expect(await inputs()).toMatchObject([{ rev: 'next-rev', newest: 'next-rev' }]);
    await expect
      .poll(() => broker.events.filter(({ kind }) => kind === 'meta_inputs_changed'), PATIENT)
      .toMatchObject([{ meta_inputs: [{ rev: 'next-rev' }] }]);
    expect(bench.metaLog()).toEqual([
      'inputs: hyperhive next-rev',
      expect.stringMatching(/^deploy manager/),
    ]);
    const { log } = await hive.post<C0reAnswers['meta_inputs']>('admin', '/v1/meta-inputs', {});
    expect(log).toHaveLength(2);
    const unknown = hive.post('admin', '/v1/meta-inputs', { inputs: ['other'] });
    expect((await refusal(unknown)).code).toBe('not_found');
  });
});

const hash = (token: string) => createHash('sha256').update(token).digest('hex');
const stop = (token: string) => bench.ask('agents/ada/stop', {}, token);

describe(verifies('P29', 'P2', '8.3', '8.7') + "the manager's token", () => {
  it('may be that of its live run, as the broker says, and of nobody else’s', async () => {
    await hive.spawn('ada');
    const identity = { agent_id: '1', name: 'manager', role: 'manager' } as const;
    broker.runs.set(hash('run-of-manager'), { ...identity, credential_kind: 'run' });
    broker.runs.set(hash('run-of-ada'), {
      agent_id: '2',
      name: 'manager',
      role: 'manager',
      credential_kind: 'run',
    });
    // c0re's own registry says what agent 2 is, whatever the broker calls it.
    expect((await refusal(stop('run-of-ada'))).code).toBe('forbidden');
    expect((await refusal(stop('run-that-is-over'))).code).toBe('unauthorized');
    expect((await hive.agent('ada')).state).toBe('running');
    expect(await stop('run-of-manager')).toMatchObject({ operation: { kind: 'stop' } });
    await expect.poll(async () => (await hive.agent('ada')).state, PATIENT).toBe('stopped');
    expect((await audit()).filter(([, , action]) => action === 'manager_stop')).toEqual([
      ['manager', 'manager', 'manager_stop', 'ada', expect.stringMatching(/^o\d+$/)],
      ['unknown', 'none', 'manager_stop', 'ada', 'unauthorized'],
      ['unknown', 'none', 'manager_stop', 'ada', 'forbidden'],
    ]);
  });

  it('does for verbs on others, logs and a note of cancels, never on itself', async () => {
    await hive.spawn('ada');
    for (const verb of ['stop', 'start', 'restart', 'rebuild']) {
      const { operation } = await bench.ask<C0reAnswers['operation']>(`agents/ada/${verb}`, {});
      expect([operation.kind, operation.asked_by]).toEqual([verb, 'manager']);
      expect((await refusal(bench.ask(`agents/manager/${verb}`, {}))).code).toBe('forbidden');
    }
    const token = { authorization: `Bearer ${bench.managerToken}` };
    const logs = () =>
      hive.getJson<C0reAnswers['journal']>(
        'gateway',
        '/v1/manager/agents/ada/journal?lines=5',
        token,
      );
    await expect.poll(async () => (await logs()).lines.length, PATIENT).toBeGreaterThan(0);
    await bench.ask('cancels', { kind: 'question', id: 'q3' });
    expect((await audit())[0]).toEqual([
      'manager',
      'manager',
      'manager_cancels',
      'question q3',
      'ok',
    ]);
  });

  it('repeats a verb with its request id without doing it twice', async () => {
    await hive.spawn('ada');
    const request_id = '01890a5d-ac96-774b-bcce-b302099a8057';
    const first = await bench.ask<C0reAnswers['operation']>('agents/ada/stop', { request_id });
    await expect.poll(async () => (await hive.agent('ada')).state, PATIENT).toBe('stopped');
    await hive.verb('ada', 'start');
    const again = await bench.ask<C0reAnswers['operation']>('agents/ada/stop', { request_id });
    expect(again.operation.id).toBe(first.operation.id);
    expect((await hive.agent('ada')).state).toBe('running');
  });
});
