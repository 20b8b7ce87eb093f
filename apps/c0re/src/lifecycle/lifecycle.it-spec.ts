import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { C0reAnswers, HarnessConfig } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { C0reFixture, lives } from '../testing/c0re.fixture.js';
import { environmentOf, livingWithMark } from '../testing/marked-processes.js';
import { refusal } from '../testing/refusal.js';

/** The machine may be busy. */
const PATIENT = { timeout: 20_000 };

let hive: C0reFixture;

beforeEach(async () => {
  hive = await C0reFixture.started();
});
afterEach(async () => {
  await hive.remove();
});

describe(verifies('4.1', '4.2') + 'lifecycle of an agent', () => {
  it('spawns: folders, token, repositories, a running harness', async () => {
    const operation = await hive.operation('/v1/agents', {
      name: 'ada',
      yaml: '# the first\ndriver: command\ncommand: [idle]\n',
      files: { 'bots/echo.mjs': 'export {};\n' },
      reason: 'for the test',
    });
    expect(operation).toMatchObject({
      kind: 'spawn',
      agent: 'ada',
      state: 'done',
      error: null,
      reason: 'for the test',
    });
    await expect.poll(() => hive.noted('ada', 'ready.json'), PATIENT).toBeGreaterThan(0);
    const agent = await hive.agent('ada');
    expect(agent).toMatchObject({
      state: 'running',
      instance: 1,
      container: 'process',
      reason: '',
    });
    expect(agent.pid).toBe(hive.noted('ada', 'ready.json'));

    const applied = path.join(hive.home, 'applied', 'ada');
    expect(readFileSync(path.join(applied, 'agent.yaml'), 'utf8')).toContain('# the first');
    expect(readFileSync(path.join(applied, 'bots/echo.mjs'), 'utf8')).toBe('export {};\n');
    for (const repository of [applied, hive.agentPath('ada', 'config')]) {
      // The proposed one belongs to the manager, not to who runs this.
      const git = (...args: string[]) =>
        execFileSync('git', ['-c', 'safe.directory=*', '-C', repository, ...args], {
          encoding: 'utf8',
        }).trim();
      expect(git('rev-parse', 'main')).toBe(agent.deployed_sha);
    }
    const tag = execFileSync('git', ['-C', applied, 'rev-parse', 'deployed/0'], {
      encoding: 'utf8',
    });
    expect(tag.trim()).toBe(agent.deployed_sha);
    expect(readFileSync(hive.agentPath('ada', 'run', 'token'), 'utf8')).toMatch(/^[\w-]{43}$/);
  });

  it(verifies('4.3', '5.7') + 'gives the harness its environment and nothing else', async () => {
    await hive.spawn('ada', ['idle'], { env: { FOO: 'bar' }, model: 'm1' });
    await expect.poll(() => hive.noted('ada', 'ready.json'), PATIENT).toBeGreaterThan(0);
    const env = hive.noted('ada', 'env.json') as Record<string, string>;
    expect(Object.keys(env).toSorted()).toEqual([
      'HIVE_AGENT',
      'HIVE_CONFIG_DIR',
      'HIVE_DOCS_DIR',
      'HIVE_GATEWAY_URL',
      'HIVE_HARNESS_CONFIG',
      'HIVE_INSTANCE',
      'HIVE_MARK',
      'HIVE_REV',
      'HIVE_ROLE',
      'HIVE_SHARED_DIR',
      'HIVE_STATE_DIR',
      'HIVE_TOKEN_FILE',
      'HIVE_WORK_DIR',
      'HOME',
      'LANG',
      'PATH',
    ]);
    expect(env).toMatchObject({
      HIVE_AGENT: 'ada',
      HIVE_ROLE: 'agent',
      HIVE_GATEWAY_URL: 'http://127.0.0.1:7001',
      HIVE_TOKEN_FILE: hive.agentPath('ada', 'run', 'token'),
      HIVE_STATE_DIR: hive.agentPath('ada', 'state'),
      HIVE_CONFIG_DIR: path.join(hive.home, 'applied', 'ada'),
      HIVE_WORK_DIR: hive.agentPath('ada', 'home', '.hive'),
      HIVE_INSTANCE: '1',
      HIVE_REV: 'test-rev',
      HOME: hive.agentPath('ada', 'home'),
    });
    const config = JSON.parse(
      readFileSync(hive.agentPath('ada', 'harness.json'), 'utf8'),
    ) as HarnessConfig;
    expect(config).toEqual({
      name: 'ada',
      role: 'agent',
      driver: 'command',
      command: ['idle'],
      model: 'm1',
      system_prompt: '',
      env: { FOO: 'bar' },
      mcp_servers: {},
      allowed_tools: ['Bash', 'Edit', 'Read', 'Write', 'Glob', 'Grep'],
      allowed_recipients: [],
      auto_compact_watermark: 0.75,
      turn_seconds: 3600,
    });
  });

  it('stops, starts and restarts, with a higher instance each time', async () => {
    await hive.spawn('ada');
    const first = (await hive.agent('ada')).pid as number;
    expect(await hive.verb('ada', 'stop')).toMatchObject({ state: 'done' });
    expect(await hive.agent('ada')).toMatchObject({ state: 'stopped', pid: null, instance: 1 });
    expect(lives(first)).toBe(false);
    await hive.verb('ada', 'start');
    expect(await hive.agent('ada')).toMatchObject({ state: 'running', instance: 2 });
    await hive.verb('ada', 'start');
    expect(await hive.agent('ada')).toMatchObject({ state: 'running', instance: 2 });
    await hive.verb('ada', 'restart');
    expect(await hive.agent('ada')).toMatchObject({ state: 'running', instance: 3 });
  });

  it(verifies('P25') + 'destroys: nothing runs, the token is gone, the state is kept', async () => {
    await hive.spawn('ada');
    await expect.poll(() => hive.noted('ada', 'ready.json'), PATIENT).toBeGreaterThan(0);
    const { agent_id, pid } = await hive.agent('ada');
    const { operation } = await hive.post<C0reAnswers['operation']>(
      'admin',
      '/v1/agents/ada/destroy',
    );
    await expect
      .poll(async () => (await refusal(hive.agent('ada'))).code, PATIENT)
      .toBe('not_found');
    expect(lives(pid as number)).toBe(false);
    expect(existsSync(hive.agentPath('ada', 'run', 'token'))).toBe(false);
    expect(existsSync(hive.agentPath('ada', 'harness.json'))).toBe(false);
    expect(hive.noted('ada', 'ready.json')).toBe(pid);
    // No broker is there to confirm it, so it is not done; other operations go on meanwhile.
    expect((await hive.spawn('bob')).state).toBe('done');
    const { operations } = await hive.getJson<C0reAnswers['operations']>('admin', '/v1/operations');
    expect(operations.find(({ id }) => id === operation.id)?.state).toBe('running');

    await hive.spawn('ada');
    await expect.poll(() => hive.noted('ada', 'ready.json'), PATIENT).toBeGreaterThan(0);
    const next = await hive.agent('ada');
    expect(Number(next.agent_id)).toBeGreaterThan(Number(agent_id));
    expect(next.instance).toBe(1);
    const kept = path.join('.kept', `ada.${agent_id}`, 'state', 'ready.json');
    expect(readFileSync(hive.agentPath(kept), 'utf8')).toBe(String(pid));
  });

  it('runs an external agent without any process', async () => {
    await hive.operation('/v1/agents', { name: 'ext', config: { driver: 'external' } });
    expect(await hive.agent('ext')).toMatchObject({ state: 'running', container: null, pid: null });
    expect(existsSync(hive.agentPath('ext', 'run', 'token'))).toBe(true);
    await hive.verb('ext', 'stop');
    expect(await hive.agent('ext')).toMatchObject({ state: 'stopped' });
  });

  it('never moves into folders that it does not know', async () => {
    writeFileSync(hive.agentPath('ada'), 'something of the operator');
    const operation = await hive.spawn('ada');
    expect(operation).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('lies there'),
    });
    expect(await hive.agent('ada')).toMatchObject({ state: 'crashed' });
    expect(readFileSync(hive.agentPath('ada'), 'utf8')).toBe('something of the operator');
  });
});

describe(verifies('4.2', 'P4') + 'ending an agent', () => {
  it('leaves nothing: group, other sessions, double forks, deaf ones', async () => {
    await hive.spawn('ada', ['family']);
    await expect.poll(() => hive.noted('ada', 'ready.json'), PATIENT).toBeGreaterThan(0);
    await expect.poll(() => hive.noted('ada', 'grandchild'), PATIENT).toBeGreaterThan(0);
    const mark = environmentOf((await hive.agent('ada')).pid as number, 'HIVE_MARK') as string;
    const [sleeper] = hive.noted('ada', 'family.json') as [number];
    const grandchild = hive.noted('ada', 'grandchild') as number;
    expect([lives(sleeper), lives(grandchild)]).toEqual([true, true]);
    await hive.verb('ada', 'stop');
    expect([lives(sleeper), lives(grandchild)]).toEqual([false, false]);
    expect(livingWithMark(mark)).toEqual([]);
  });

  it('does not wait for a harness that ignores SIGTERM', async () => {
    await hive.spawn('ada', ['deaf']);
    await expect.poll(() => hive.noted('ada', 'ready.json'), PATIENT).toBeGreaterThan(0);
    const { pid } = await hive.agent('ada');
    expect((await hive.verb('ada', 'stop')).state).toBe('done');
    expect(lives(pid as number)).toBe(false);
  });
});

describe(verifies('4.8', '5.1', 'P4') + 'a harness that ends without being asked', () => {
  it('is started again with a higher instance, and what it left is ended first', async () => {
    await hive.spawn('ada', ['family']);
    await expect.poll(() => hive.noted('ada', 'grandchild'), PATIENT).toBeGreaterThan(0);
    const grandchild = hive.noted('ada', 'grandchild') as number;
    process.kill((await hive.agent('ada')).pid as number, 'SIGKILL');
    await expect.poll(async () => (await hive.agent('ada')).instance, PATIENT).toBe(2);
    await expect.poll(async () => (await hive.agent('ada')).state, PATIENT).toBe('running');
    expect(lives(grandchild)).toBe(false);
  });

  it('is shown as crashed with the reason while it waits, each wait longer', async () => {
    await hive.spawn('ada', ['exit', '7']);
    const reasons = new Set<string>();
    await expect
      .poll(
        async () => {
          reasons.add((await hive.agent('ada')).reason);
          return [...reasons];
        },
        { timeout: 20_000, interval: 10 },
      )
      .toEqual(
        expect.arrayContaining([
          'the harness ended with exit code 7; started again after 0.05 s',
          'the harness ended with exit code 7; started again after 0.1 s',
          'the harness ended with exit code 7; started again after 0.2 s',
        ]),
      );
    await hive.verb('ada', 'stop');
    expect(await hive.agent('ada')).toMatchObject({ state: 'stopped', reason: '' });
  });
});
