import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { HiveError, type OperationRow } from '#libs/protocol';

import { verifies } from '../../../test/requirements/verifies.js';
import { message, TestCli } from './testing/test-cli.js';

const cli = new TestCli();
const { home, dashboard } = cli;
const hive: TestCli['hive'] = (...args) => cli.hive(...args);

function operation(change: Partial<OperationRow> = {}): { operation: OperationRow } {
  return {
    operation: {
      version: 1,
      id: 'o7',
      kind: 'start',
      agent: 'scout',
      state: 'done',
      parent: null,
      asked_by: 'operator',
      reason: '',
      asked_at: '2026-01-01T11:59:00.000Z',
      started_at: null,
      ended_at: null,
      error: null,
      ...change,
    },
  };
}

beforeAll(() => cli.start());
afterAll(() => cli.stop());
beforeEach(() => cli.reset());

const AGENT = {
  name: 'scout',
  role: 'agent',
  driver: 'command',
  state: 'running',
  turn_state: 'waiting',
  unread: 2,
  status_text: 'looks\u001b[31m around',
  reason: '',
};

describe(verifies('10.4') + 'hive: answers', () => {
  it('login-link prints the link alone, or the answer as JSON', async () => {
    const link = { url: 'http://127.0.0.1:7000/login?token=x', expires_at: 'then' };
    dashboard.on('POST /api/login-links', () => link);
    expect(await hive(['login-link'])).toEqual({ code: 0, out: `${link.url}\n`, err: '' });
    expect(JSON.parse((await hive(['login-link', '--json'])).out)).toEqual(link);
    expect(dashboard.requests[0]?.authorization).toBe('Bearer the-token');
  });

  it('takes the token of the environment before that of the file', async () => {
    await hive(['login-link'], { env: { HIVE_OPERATOR_TOKEN: 'other' } });
    expect(dashboard.requests[0]?.authorization).toBe('Bearer other');
  });

  it('agents shows a table in which no agent can steer the terminal', async () => {
    dashboard.on('GET /api/state', () => ({ agents: [AGENT], messages: [], seq: '1-1' }));
    const { code, out } = await hive(['agents']);
    expect(code).toBe(0);
    expect(out).toBe(
      'NAME   ROLE   DRIVER   STATE    TURN     UNREAD  STATUS\n' +
        'scout  agent  command  running  waiting  2       looks\ufffd[31m around\n',
    );
    const json = await hive(['agents', '--json']);
    expect(JSON.parse(json.out)).toEqual({ agents: [AGENT] });
  });

  it('status says what runs and what waits', async () => {
    dashboard.on('GET /api/state', () => ({ agents: [AGENT], messages: [message('m1')] }));
    const { code, out } = await hive(['status']);
    expect(code).toBe(0);
    expect(out).toContain(`up for 60 min in ${home} (abc1234)`);
    expect(out).toContain('1, 1 running, 0 in a turn, 2 messages wait');
    expect(out).toContain('inbox      1 unread');
    expect(out).toMatch(/broker +12 +30 s/);
    expect(JSON.parse((await hive(['status', '--json'])).out)).toMatchObject({
      home,
      operator_unread: 1,
      agents: { total: 1, unread: 2 },
    });
  });

  it('send passes the text on, word for word', async () => {
    dashboard.on('POST /api/messages', () => ({
      id: 'm9',
      thread_id: 'm3',
      recipients: ['scout'],
    }));
    const sent = await hive([
      'send', 'scout', '--reply-to', 'm3', '--priority', 'urgent', '--key', 'k', '--', '-1 is a body',
    ]); // prettier-ignore
    expect(sent.out).toBe('m9 to scout (thread m3)\n');
    expect(dashboard.requests[0]?.body).toEqual({
      to: 'scout',
      body: '-1 is a body',
      in_reply_to: 'm3',
      priority: 'urgent',
      idempotency_key: 'k',
    });
    await hive(['send', 'a,b', '-'], { input: 'line 1\n\nline 2\n' });
    expect(dashboard.requests[1]?.body).toEqual({ to: ['a', 'b'], body: 'line 1\n\nline 2' });
  });

  it('inbox shows what is unread over all pages, and marks it', async () => {
    const read = message('m4', {
      deliveries: [{ to: 'operator', state: 'acked', since: 'x', attempt: 1, hand_outs: 0 }],
    });
    const sent = message('m3', { to: 'scout', from: 'operator', deliveries: [] });
    dashboard.on('GET /api/messages?agent=operator&limit=200', () => ({
      messages: [message('m5', { body: 'two\nlines', in_reply_to: 'm3' }), read, sent],
      next: 'm3',
    }));
    dashboard.on('GET /api/messages?agent=operator&limit=200&before=m3', () => ({
      messages: [message('m2')],
    }));
    const { out } = await hive(['inbox']);
    expect(out).toBe(
      'm5 from scout, 2 min ago, answers m3\n  two\n  lines\n\nm2 from scout, 2 min ago\n  note m2\n',
    );
    for (const id of ['m5', 'm2']) {
      dashboard.on(`POST /api/messages/${id}/read`, () => ({ message: message(id) }));
    }
    dashboard.requests.length = 0;
    const marked = await hive(['inbox', '--read', '--json']);
    expect(JSON.parse(marked.out)).toMatchObject({ messages: [{ id: 'm5' }, { id: 'm2' }] });
    const posts = dashboard.requests.filter(({ method }) => method === 'POST');
    expect(posts.map((request) => request.path)).toEqual([
      '/api/messages/m5/read',
      '/api/messages/m2/read',
    ]);
  });

  it.each(['start', 'stop', 'restart', 'destroy'])('%s waits until it is done', async (verb) => {
    dashboard.on(`POST /api/agents/scout/${verb}`, () => operation({ kind: verb }));
    const done = await hive([verb, 'scout', '--reason', 'why not']);
    expect(done).toEqual({ code: 0, out: `scout: ${verb} done\n`, err: '' });
    expect(dashboard.requests[0]).toMatchObject({
      path: `/api/agents/scout/${verb}?wait=1`,
      body: { reason: 'why not' },
    });
    await hive([verb, 'scout', '--no-wait']);
    expect(dashboard.requests[1]?.path).toBe(`/api/agents/scout/${verb}`);
  });

  it('an operation that failed is a failure', async () => {
    dashboard.on('POST /api/agents/scout/start', () =>
      operation({ state: 'failed', error: 'no such program: botx' }),
    );
    const { code, out, err } = await hive(['start', 'scout']);
    expect([code, out]).toEqual([1, '']);
    expect(err).toBe('hive: start of scout failed: no such program: botx\n');
  });

  it('spawn sends agent.yaml as it is written, with the files beside it', async () => {
    dashboard.on('POST /api/agents', () => operation({ kind: 'spawn' }));
    const folder = path.join(home, 'config');
    writeFileSync(path.join(folder, 'agent.yaml'), '# mine\ndriver: command\n');
    writeFileSync(path.join(folder, 'bot.mjs'), 'run();');
    await hive(['spawn', 'scout', '--file', 'config/agent.yaml']);
    expect(dashboard.requests[0]?.body).toEqual({
      name: 'scout',
      yaml: '# mine\ndriver: command\n',
    });
    await hive(['spawn', 'scout', '--file', folder]);
    expect(dashboard.requests[1]?.body).toEqual({
      name: 'scout',
      yaml: '# mine\ndriver: command\n',
      files: { 'bot.mjs': 'run();' },
    });
  });
});

describe(verifies('10.4') + 'hive: refusals', () => {
  it('shows the words of the hive, and its code as JSON', async () => {
    dashboard.on('POST /api/messages', () => {
      throw new HiveError('unknown_recipient', 'nobody is called "ghost"', { to: 'ghost' });
    });
    expect(await hive(['send', 'ghost', 'x'])).toEqual({
      code: 1,
      out: '',
      err: 'hive: nobody is called "ghost"\n',
    });
    expect(JSON.parse((await hive(['send', 'ghost', 'x', '--json'])).err)).toEqual({
      error: {
        code: 'unknown_recipient',
        message: 'nobody is called "ghost"',
        details: { to: 'ghost' },
      },
    });
  });

  it.each<[args: string[]]>([
    [[]],
    [['dance']],
    [['agents', 'extra']],
    [['agents', '--yaml']],
    [['spawn', 'scout']],
    [['start']],
    [['send', 'scout']],
    [['send', 'scout', 'x', '--priority', 'high']],
  ])('%j is wrong usage: exit 2, nothing asked', async (args) => {
    const { code, err } = await hive(args);
    expect(code).toBe(2);
    expect(err).not.toBe('');
    expect(dashboard.requests).toEqual([]);
  });

  it.each([['--help'], ['help'], ['help', 'send'], ['send', '--help']])(
    '%s helps',
    async (...args) => {
      const { code, out } = await hive(args);
      expect(code).toBe(0);
      expect(out).toContain('Usage: hive');
    },
  );

  it('exits 3 when no hive runs, or only its file is left', async () => {
    rmSync(path.join(home, 'run', 'hive.json'));
    const none = await hive(['agents']);
    expect([none.code, none.err]).toEqual([3, expect.stringContaining('npm start')]);
    // Above every Linux pid limit.
    cli.hiveFile({ supervisor_pid: 2 ** 22 + 1 });
    const stale = await hive(['status', '--json']);
    expect(stale.code).toBe(3);
    expect(JSON.parse(stale.err)).toMatchObject({ error: { code: 'not_running' } });
  });

  it('exits 1 when the dashboard does not answer, refuses the token, or the token cannot be read', async () => {
    cli.hiveFile({ dashboard_url: 'http://127.0.0.1:1' });
    expect(await hive(['agents'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/does not answer/) as string,
    });
    cli.hiveFile();
    dashboard.on('GET /api/state', () => {
      throw new HiveError('operator_required', 'log in');
    });
    expect(await hive(['agents'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/HIVE_OPERATOR_TOKEN/) as string,
    });
    rmSync(path.join(home, 'secrets', 'operator-token'));
    expect(await hive(['agents'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/operator-token/) as string,
    });
    writeFileSync(path.join(home, 'secrets', 'operator-token'), 'the-token\n');
  });

  it.each([
    ['nowhere.yaml', /cannot be read/],
    ['run', /holds no agent.yaml/],
  ])('spawn --file %s fails before anything is asked', async (file, words) => {
    const { code, err } = await hive(['spawn', 'scout', '--file', file]);
    expect([code, err]).toEqual([1, expect.stringMatching(words)]);
    expect(dashboard.requests).toEqual([]);
  });

  it('spawn takes no files that are not text', async () => {
    writeFileSync(path.join(home, 'config', 'blob'), Buffer.from([0xff, 0xfe, 0x00]));
    const { code, err } = await hive(['spawn', 'scout', '--file', 'config']);
    expect([code, err]).toEqual([1, expect.stringContaining('is not text')]);
  });
});
