import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { HiveError, type CommandKind } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { DashboardFixture } from '../testing/dashboard-fixture.js';
import { agent } from '../testing/scripted-broker.js';
import { operation } from '../testing/scripted-c0re.js';

let dashboard: DashboardFixture;
beforeAll(async () => {
  dashboard = await DashboardFixture.start();
  const { c0re, broker } = dashboard;
  for (const verb of ['start', 'stop', 'restart', 'destroy']) {
    c0re.on(`POST /v1/agents/scout/${verb}`, () => ({ operation: operation(verb, 'scout') }));
  }
  c0re.on('POST /v1/agents', () => ({ operation: operation('spawn', 'scout') }));
  c0re.on('GET /v1/agents/scout', () => ({
    agent: {
      ...agent('scout'),
      instance: 3,
      pid: 42,
      created_at: 'then',
      config: { role: 'agent' },
    },
  }));
  c0re.on('GET /v1/agents/scout/journal', () => ({ agent: 'scout', lines: ['one'] }));
  broker.on('command', () => ({ id: 'c1' }));
  broker.on('release', () => ({ agent: agent('scout') }));
  broker.on('agent_inbox', () => ({ messages: [] }));
  broker.on('agent_turns', () => ({ turns: [], next: 't1' }));
  broker.on('agent_events', () => ({ events: [] }));
});
afterAll(() => dashboard.stop());

/** What reached c0re on one path, newest last. */
function ordered(path: string) {
  return dashboard.c0re.requests.filter((request) => request.path.startsWith(path));
}

describe(verifies('4.1') + 'agents: their lives', () => {
  it.each(['start', 'stop', 'restart', 'destroy'])('orders %s of c0re', async (verb) => {
    const answer = await dashboard.asOperator('POST', `/api/agents/scout/${verb}?wait=1`, {
      body: { reason: 'because' },
    });
    expect([answer.status, answer.json()]).toMatchObject([202, { operation: { kind: verb } }]);
    const [order] = ordered(`/v1/agents/scout/${verb}`);
    expect(order).toMatchObject({
      path: `/v1/agents/scout/${verb}?wait=1`,
      body: { reason: 'because' },
      headers: { authorization: dashboard.bearer['authorization'] },
    });
    expect((await dashboard.asOperator('POST', `/api/agents/scout/${verb}`)).status).toBe(202);
  });

  it('spawns with a config or with the text of agent.yaml', async () => {
    for (const body of [
      { name: 'scout', config: { driver: 'command', command: ['true'], env: { A: 'b' } } },
      { name: 'scout', yaml: 'driver: external\n', files: { 'bot.mjs': 'x' }, reason: 'r' },
    ]) {
      const answer = await dashboard.asOperator('POST', '/api/agents', { body });
      expect(answer.status).toBe(202);
      expect(ordered('/v1/agents').findLast(({ method }) => method === 'POST')?.body).toEqual(body);
    }
  });

  it('shows what c0re says of a bad config, word for word', async () => {
    const details = { problems: [{ line: 3, key: 'modle' }] };
    dashboard.c0re.on('POST /v1/agents', () => {
      throw new HiveError('invalid_config', 'line 3: unknown key "modle"', details);
    });
    const answer = await dashboard.asOperator('POST', '/api/agents', {
      body: { name: 'scout', config: {} },
    });
    expect([answer.status, answer.json()]).toEqual([
      400,
      { error: { code: 'invalid_config', message: 'line 3: unknown key "modle"', details } },
    ]);
  });

  it.each<[body: unknown, code: string]>([
    [{}, 'invalid_request'],
    [{ name: 'scout' }, 'invalid_request'],
    [{ name: 'scout', config: [] }, 'invalid_request'],
    [{ name: 'scout', config: 'driver: x' }, 'invalid_request'],
    [{ name: 'Scout', config: {} }, 'invalid_name'],
    [{ name: 'operator', config: {} }, 'invalid_name'],
    [{ name: '../x', config: {} }, 'invalid_name'],
    [{ name: 'scout', config: {}, extra: 1 }, 'unknown_field'],
  ])('refuses to spawn %j', async (body, code) => {
    const before = ordered('/v1/agents').length;
    const answer = await dashboard.asOperator('POST', '/api/agents', { body });
    expect([answer.status, answer.json()]).toMatchObject([400, { error: { code } }]);
    expect(ordered('/v1/agents')).toHaveLength(before);
  });

  it.each(['Scout', 'a%2f..%2fb', 'operator', '%00', 'x'.repeat(33), '-a', 'stop-all%3f'])(
    'refuses the name %s in a path',
    async (name) => {
      const before = dashboard.c0re.requests.length;
      for (const [method, rest] of [
        ['POST', '/stop'],
        ['POST', '/cancel-turn'],
        ['GET', ''],
        ['GET', '/journal'],
        ['GET', '/inbox'],
      ] as const) {
        const answer = await dashboard.asOperator(method, `/api/agents/${name}${rest}`);
        expect(answer.json()).toHaveProperty('error.code', 'invalid_name');
      }
      const asked = dashboard.c0re.requests.slice(before).map(({ path }) => path);
      expect(new Set(asked)).toEqual(new Set(['/v1/sessions/check']));
    },
  );
});

describe(verifies('P18', 'P17') + 'agents: commands to the harness', () => {
  it.each<[path: string, body: unknown, command: { kind: CommandKind }]>([
    ['cancel-turn', undefined, { kind: 'cancel' }],
    ['cancel-turn', { discard: true }, { kind: 'cancel', discard: true } as { kind: CommandKind }],
    ['compact', {}, { kind: 'compact' }],
    ['new-session', undefined, { kind: 'new_session' }],
    ['model', { model: 'opus' }, { kind: 'model', model: 'opus' } as { kind: CommandKind }],
  ])('%s %j', async (path, body, command) => {
    const answer = await dashboard.asOperator('POST', `/api/agents/scout/${path}`, { body });
    expect([answer.status, answer.json()]).toEqual([202, { id: 'c1' }]);
    expect(dashboard.broker.of('command').at(-1)).toEqual({
      agent: 'scout',
      request_id: expect.stringMatching(/^[0-9a-f-]{14}7/) as string,
      ...command,
    });
  });

  it.each(['unavailable', 'outcome_unknown'] as const)(
    'sends a command again under its id after %s, so that it is queued once',
    async (code) => {
      const ids: unknown[] = [];
      dashboard.broker.on('command', ({ request_id }) => {
        ids.push(request_id);
        if (ids.length === 1) throw new HiveError(code, 'the connection closed');
        return { id: 'c2' };
      });
      const answer = await dashboard.asOperator('POST', '/api/agents/scout/compact');
      expect([answer.status, answer.json()]).toEqual([202, { id: 'c2' }]);
      expect(ids).toEqual([ids[0], ids[0]]);
    },
  );

  it.each(['unpark', 'release'])('goes on with %s', async (verb) => {
    const answer = await dashboard.asOperator('POST', `/api/agents/scout/${verb}`);
    expect([answer.status, answer.json()]).toMatchObject([200, { agent: { name: 'scout' } }]);
  });

  it.each<[path: string, body: unknown]>([
    ['model', {}],
    ['model', { model: '' }],
    ['model', { model: 7 }],
    ['compact', { now: true }],
    ['new-session', { a: 1 }],
    ['cancel-turn', { discard: 'yes' }],
    ['stop', { wait: true }],
    ['stop?wait=2', {}],
  ])('refuses %s %j', async (path, body) => {
    const answer = await dashboard.asOperator('POST', `/api/agents/scout/${path}`, { body });
    expect(answer.status).toBe(400);
  });
});

describe(verifies('7.4') + 'agents: views', () => {
  it('joins what the broker and c0re know of an agent', async () => {
    const answer = await dashboard.asOperator('GET', '/api/agents/scout');
    expect(answer.json()).toEqual({
      agent: { ...agent('scout'), instance: 3, pid: 42, created_at: 'then' },
    });
  });

  it('passes pages and windows on', async () => {
    await dashboard.asOperator('GET', '/api/agents/scout/inbox?limit=5&before=m9');
    expect(dashboard.broker.of('agent_inbox')).toEqual([
      { agent: 'scout', limit: 5, before: 'm9' },
    ]);
    const turns = await dashboard.asOperator('GET', '/api/agents/scout/turns');
    expect(turns.json()).toEqual({ turns: [], next: 't1' });
    await dashboard.asOperator('GET', '/api/agents/scout/events?turn_id=t4&limit=9');
    expect(dashboard.broker.of('agent_events')).toEqual([
      { agent: 'scout', turn_id: 't4', limit: 9 },
    ]);
    await dashboard.asOperator('GET', '/api/agents/scout/stats?window=7d');
    expect(dashboard.broker.of('agent_stats')).toEqual([{ agent: 'scout', window: '7d' }]);
    await dashboard.asOperator('GET', '/api/agents/scout/journal?lines=20');
    expect(ordered('/v1/agents/scout/journal').at(-1)?.path).toBe(
      '/v1/agents/scout/journal?lines=20',
    );
  });

  it.each([
    'inbox?limit=0',
    'turns?limit=abc',
    'stats?window=1y',
    'journal?lines=501',
    'events?x=1',
  ])('refuses %s', async (path) => {
    const answer = await dashboard.asOperator('GET', `/api/agents/scout/${path}`);
    expect(answer.status).toBe(400);
  });

  it('lists operations', async () => {
    const answer = await dashboard.asOperator('GET', '/api/operations?limit=3&before=o9');
    expect(answer.json()).toMatchObject({ operations: [{ id: 'o1' }] });
    expect(ordered('/v1/operations').at(-1)?.path).toBe('/v1/operations?limit=3&before=o9');
    const bad = await dashboard.asOperator('GET', '/api/operations?before=m9');
    expect(bad.status).toBe(400);
  });
});
