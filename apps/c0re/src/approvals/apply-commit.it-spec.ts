import { existsSync, lstatSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { C0reAnswers } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { C0reFixture, isRoot } from '../testing/c0re.fixture.js';
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
  await bench.populate('ada');
}, 60_000);
afterEach(async () => {
  await hive.remove();
  await broker.close();
});

const news = () => broker.news.map(({ event, body }) => `${event}: ${body}`);
const sees = (text: RegExp) =>
  expect.poll(news, PATIENT).toContainEqual(expect.stringMatching(text));

describe(verifies('4.4', '4.5', 'P30') + 'a commit that the manager asks for', () => {
  it('is deployed when the operator approves what was shown; every tag and main say so', async () => {
    const first = bench.main('ada');
    const before = await hive.agent('ada');
    const sha = bench.commit('ada', {
      'agent.yaml': yamlOf(['idle'], 'system_prompt: new\nallowed_recipients: [manager]\n'),
      'bin/bot.mjs': '1;\n',
    });
    const {
      id,
      state,
      sha: pinned,
    } = await bench.applyCommit('ada', sha.slice(0, 10), 'new words');
    expect([id, state, pinned]).toEqual(['a1', 'pending', sha]);
    expect(await bench.approval(id)).toMatchObject({
      kind: 'apply_commit',
      agent: 'ada',
      commit_ref: sha.slice(0, 10),
      sha,
      description: 'new words',
      requested_by: 'manager',
      bases: { running: first, approved: null, queued: null },
    });
    expect((await bench.show(id)).diff.diff).toMatch(/\+system_prompt: new/);
    await expect.poll(() => broker.waiting.map((row) => row.id), PATIENT).toEqual(['a1']);
    expect((await hive.agent('ada')).pid).toBe(before.pid);

    expect(await bench.approve(id)).toMatchObject({ state: 'deployed', error: null });
    const after = await hive.agent('ada');
    expect(after).toMatchObject({ state: 'running', deployed_sha: sha });
    expect(after.instance).toBe(before.instance + 1);
    expect(after.config).toMatchObject({ system_prompt: 'new', allowed_recipients: ['manager'] });
    expect(bench.main('ada')).toBe(sha);
    expect(bench.tags('ada')).toEqual({
      'deployed/0': first,
      'proposal/a1': sha,
      'approved/a1': sha,
      'building/a1': sha,
      'deployed/a1': sha,
    });
    expect(bench.deployed('ada', 'bin/bot.mjs')).toBe('1;\n');
    expect(bench.metaLog()).toEqual([
      `deploy ada deployed/a1 ${sha.slice(0, 12)}`,
      `deploy ada deployed/0 ${first.slice(0, 12)}`,
      expect.stringMatching(/^deploy manager deployed\/0 /),
    ]);
    await sees(/^approval_resolved: approval a1 is deployed: ada runs/);
    await sees(/^rebuilt: ada/);
    await expect.poll(() => broker.waiting, PATIENT).toEqual([]);
    expect([...broker.agents.values()].find(({ name }) => name === 'ada')).toMatchObject({
      allowed_recipients: ['manager'],
      deployed_sha: sha,
    });
    const { history } = await hive.getJson<C0reAnswers['config_history']>(
      'admin',
      '/v1/agents/ada/config',
    );
    expect(history).toMatchObject([
      { tag: 'deployed/a1', sha, state: 'deployed', subject: 'change' },
      { tag: 'deployed/0', sha: first, state: 'deployed' },
    ]);
  });

  it('stays what it was when the proposed repository is rewritten after it was asked for', async () => {
    const sha = bench.commit('ada', { 'agent.yaml': yamlOf(['idle'], 'model: shown\n') });
    const { id } = await bench.applyCommit('ada', sha);
    bench.git('ada', 'reset', '--quiet', '--hard', 'HEAD~1');
    bench.commit('ada', { 'agent.yaml': yamlOf(['idle'], 'model: smuggled\n') });
    bench.git('ada', 'reflog', 'expire', '--expire=now', '--all');
    bench.git('ada', 'gc', '--quiet', '--prune=now');
    expect(() => bench.git('ada', 'cat-file', '-e', sha)).toThrow(/failed/);
    expect((await bench.approve(id)).state).toBe('deployed');
    expect((await hive.agent('ada')).config.model).toBe('shown');
    expect(bench.main('ada')).toBe(sha);
    expect(bench.deployed('ada', 'agent.yaml')).toContain('model: shown');
  });

  it('is not approved by another commit than its own', async () => {
    const sha = bench.commit('ada', { 'agent.yaml': yamlOf(['idle'], 'model: a\n') });
    const { id } = await bench.applyCommit('ada', sha);
    for (const other of [bench.main('ada'), null]) {
      expect((await refusal(bench.approve(id, other))).code).toBe('conflict');
    }
    expect((await bench.approval(id)).state).toBe('pending');
    await bench.approve(id);
    expect((await refusal(bench.approve(id))).code).toBe('conflict');
    expect((await refusal(bench.deny(id))).code).toBe('conflict');
  });

  it('is denied with a reason that reaches the manager and the tag', async () => {
    const before = await hive.agent('ada');
    const sha = bench.commit('ada', { 'agent.yaml': yamlOf(['idle'], 'model: a\n') });
    const { id } = await bench.applyCommit('ada', sha);
    const row = await bench.deny(id, 'too broad: "all" is\nmore than it needs');
    expect(row).toMatchObject({
      state: 'denied',
      reason: 'too broad: "all" is\nmore than it needs',
    });
    await sees(/^approval_resolved: approval a1 .*denied: "too broad: \\"all\\" is\\nmore/);
    expect(bench.tags('ada')).toMatchObject({ 'denied/a1': sha });
    expect(bench.applied('ada', 'tag', '--list', '--format=%(contents)', 'denied/a1')).toContain(
      'too broad',
    );
    expect(await hive.agent('ada')).toMatchObject({
      pid: before.pid,
      deployed_sha: before.deployed_sha,
    });
    expect(bench.metaLog()).toHaveLength(2);
  });

  it('that cannot be built leaves the running agent, its tree and main as they were', async () => {
    const before = await hive.agent('ada');
    const yaml = bench.deployed('ada', 'agent.yaml');
    const sha = bench.commit('ada', {
      'agent.yaml': yamlOf(['idle'], 'env: {KEY: "secret:NOT_GRANTED"}\n'),
    });
    const { id } = await bench.applyCommit('ada', sha);
    const row = await bench.approve(id);
    expect(row).toMatchObject({ state: 'failed', error: expect.stringContaining('NOT_GRANTED') });
    expect(await hive.agent('ada')).toEqual(before);
    expect(bench.deployed('ada', 'agent.yaml')).toBe(yaml);
    expect(bench.main('ada')).toBe(before.deployed_sha);
    expect(Object.keys(bench.tags('ada')).toSorted()).toEqual([
      'approved/a1',
      'building/a1',
      'deployed/0',
      'failed/a1',
      'proposal/a1',
    ]);
    expect(bench.applied('ada', 'tag', '--list', '--format=%(contents)', 'failed/a1')).toContain(
      'NOT_GRANTED',
    );
    expect(bench.metaLog()).toHaveLength(2);
    await sees(/^approval_resolved: approval a1 failed: .*NOT_GRANTED/);
  });

  it('with which the agent does not stay up is taken back', async () => {
    const before = await hive.agent('ada');
    const sha = bench.commit('ada', { 'agent.yaml': yamlOf(['exit', '2']), 'new.txt': 'x' });
    const { id } = await bench.applyCommit('ada', sha);
    expect(await bench.approve(id)).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('did not stay up'),
    });
    await expect.poll(async () => (await hive.agent('ada')).state, PATIENT).toBe('running');
    const after = await hive.agent('ada');
    expect(after.config).toEqual(before.config);
    expect(after.deployed_sha).toBe(before.deployed_sha);
    expect(bench.main('ada')).toBe(before.deployed_sha);
    expect(existsSync(path.join(hive.home, 'applied', 'ada', 'new.txt'))).toBe(false);
    expect(bench.metaLog()).toHaveLength(2);
  });

  it('of a stopped agent is deployed without starting it', async () => {
    await hive.verb('ada', 'stop');
    const sha = bench.commit('ada', { 'agent.yaml': yamlOf(['idle'], 'model: a\n') });
    const { id } = await bench.applyCommit('ada', sha);
    expect((await bench.approve(id)).state).toBe('deployed');
    expect(await hive.agent('ada')).toMatchObject({
      state: 'stopped',
      deployed_sha: sha,
      pid: null,
    });
  });

  it('is one request, however often it is sent, and can be compared with what was queued before', async () => {
    const one = bench.commit('ada', { 'agent.yaml': yamlOf(['idle'], 'model: one\n') });
    const request_id = '01890a5d-ac96-774b-bcce-b302099a8057';
    const body = { agent: 'ada', commit_ref: one, request_id };
    const first = await bench.ask('apply-commit', body);
    expect(await bench.ask('apply-commit', body)).toEqual(first);
    const again = await bench.applyCommit('ada', one);
    expect(again).toMatchObject({ id: 'a1', note: expect.stringContaining('a1') });
    const two = bench.commit('ada', { 'agent.yaml': yamlOf(['idle'], 'model: two\n') });
    const second = await bench.applyCommit('ada', two);
    expect((await bench.approval(second.id)).bases).toMatchObject({ queued: one });
    const { diff } = await bench.show(second.id, 'queued');
    expect(diff.diff).toMatch(/-model: one\n\+model: two/);
    await bench.deny(first.id);
    await bench.approve(second.id);
    const three = bench.commit('ada', { 'agent.yaml': yamlOf(['idle'], 'model: three\n') });
    const third = await bench.applyCommit('ada', three);
    expect((await bench.approval(third.id)).bases).toEqual({
      running: two,
      approved: two,
      queued: null,
    });
  });

  it('is void when its agent is destroyed', async () => {
    const sha = bench.commit('ada', { 'agent.yaml': yamlOf(['idle'], 'model: a\n') });
    const { id } = await bench.applyCommit('ada', sha);
    await hive.verb('ada', 'destroy');
    expect(await bench.approval(id)).toMatchObject({ state: 'denied', decided_by: 'system' });
    await hive.operation('/v1/agents/ada/purge', { confirm: 'ada' });
    expect((await refusal(bench.show(id, 'none'))).code).toBe('not_found');
  });
});

describe(verifies('4.4', '8.1') + 'the repositories', () => {
  it.runIf(isRoot)('belong to the manager, and to a user without any power', () => {
    const config = lstatSync(hive.agentPath('ada', 'config'));
    const manager = lstatSync(hive.agentPath('manager', 'state'));
    expect([config.uid, config.mode & 0o777]).toEqual([manager.uid, 0o700]);
    const objects = lstatSync(path.join(hive.home, 'applied', 'ada', '.git', 'objects'));
    expect(objects.uid).toBe(hive.env.HIVE_UID_BASE! + 6);
    expect(() =>
      bench.asOwner(hive.agentPath('ada', 'state'), 'ls', hive.agentPath('ada', 'config')),
    ).toThrow(/denied/);
  });

  it.runIf(isRoot)('go to the next manager when there is one', async () => {
    await hive.verb('manager', 'destroy');
    await hive.spawn('manager', ['idle'], { role: 'manager' });
    const { uid } = lstatSync(hive.agentPath('manager', 'state'));
    const config = hive.agentPath('ada', 'config');
    expect([lstatSync(config).uid, lstatSync(path.join(config, '.git', 'HEAD')).uid]).toEqual([
      uid,
      uid,
    ]);
    const sha = bench.commit('ada', { 'agent.yaml': yamlOf(['idle'], 'model: next\n') });
    expect(await bench.applyCommit('ada', sha)).toMatchObject({ sha });
  });

  it(verifies('4.1') + 'make a damaged tree whole when the agent is rebuilt', async () => {
    const folder = path.join(hive.home, 'applied', 'ada');
    const yaml = bench.deployed('ada', 'agent.yaml');
    writeFileSync(path.join(folder, 'agent.yaml'), 'broken');
    writeFileSync(path.join(folder, 'more'), 'x');
    expect((await hive.operation('/v1/agents/ada/rebuild')).state).toBe('done');
    expect(bench.deployed('ada', 'agent.yaml')).toBe(yaml);
    expect(existsSync(path.join(folder, 'more'))).toBe(false);
  });
});
