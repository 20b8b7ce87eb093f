import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { DashboardFixture } from '../testing/dashboard-fixture.js';
import { operation } from '../testing/scripted-c0re.js';

let dashboard: DashboardFixture;
beforeAll(async () => {
  dashboard = await DashboardFixture.start();
  const { c0re } = dashboard;
  for (const verb of ['rebuild', 'revive', 'purge']) {
    c0re.on(`POST /v1/agents/scout/${verb}`, () => ({ operation: operation(verb, 'scout') }));
  }
  for (const verb of ['restart-all', 'update-all']) {
    c0re.on(`POST /v1/${verb}`, () => ({ operation: operation(verb, 'scout') }));
  }
  c0re.on('GET /v1/state-file', ({ path }) => ({ agent: 'scout', path, text: 'x', base64: null }));
  c0re.on('GET /v1/state-files', ({ path }) => ({ agent: 'scout', path, entries: [] }));
  c0re.on('GET /v1/health', () => ({
    ok: true,
    container_driver: 'process',
    broker_in_step: true,
  }));
  c0re.on('GET /v1/self-check', () => ({ checked_at: 'now', problems: [] }));
});
afterAll(() => dashboard.stop());

const last = (path: string) =>
  dashboard.c0re.requests.findLast((request) => request.path.split('?', 1)[0] === path);

describe(verifies('4.1', 'P30') + 'what is done to destroyed and to all agents', () => {
  it.each([
    ['agents/scout/rebuild', { reason: 'why' }],
    ['agents/scout/revive', { agent_id: '7' }],
    ['agents/scout/purge', { confirm: 'scout' }],
    ['restart-all', {}],
    ['update-all', { reason: 'why' }],
  ])('%s goes to c0re with the credential of the request', async (path, body) => {
    const answer = await dashboard.asOperator('POST', `/api/${path}`, { body });
    expect(answer.status).toBe(202);
    expect(last(`/v1/${path}`)).toMatchObject({
      body,
      headers: { authorization: `Bearer ${dashboard.c0re.operatorToken}` },
    });
  });

  it.each([
    ['agents/scout/purge', {}],
    ['agents/scout/purge', { confirm: 1 }],
    ['agents/scout/purge', { confirm: 'scout', force: true }],
    ['agents/scout/revive', { agent_id: 7 }],
    ['agents/..%2fx/revive', {}],
    ['restart-all', { agents: [] }],
  ])('%s with %j is refused', async (path, body) => {
    const before = dashboard.c0re.requests.length;
    const answer = await dashboard.asOperator('POST', `/api/${path}`, { body });
    expect(answer.status).toBe(400);
    const asked = dashboard.c0re.requests.slice(before).map((request) => request.path);
    expect(asked.filter((asking) => asking.startsWith('/v1/agents'))).toEqual([]);
  });

  it('lists tombstones', async () => {
    const answer = await dashboard.asOperator('GET', '/api/tombstones');
    expect(answer.json()).toEqual({ tombstones: [] });
  });
});

describe(verifies('8.1', '8.2') + 'state files', () => {
  it.each(['state-file', 'state-files'])(
    '%s are asked of c0re, the path as it is',
    async (route) => {
      const path = 'a b/../%2e?&#\u2713';
      const query = new URLSearchParams({ agent: 'scout', path }).toString();
      const answer = await dashboard.asOperator('GET', `/api/${route}?${query}`);
      expect(answer.status).toBe(200);
      const asked = new URL(last(`/v1/${route}`)?.path ?? '', 'http://c0re').searchParams;
      expect([asked.get('agent'), asked.get('path')]).toEqual(['scout', path]);
    },
  );

  it.each(['', '?agent=..', '?agent=scout&path=a&path=b', '?agent=scout&follow=1'])(
    'are not asked for %j',
    async (query) => {
      const answer = await dashboard.asOperator('GET', `/api/state-file${query}`);
      expect(answer.status).toBe(400);
    },
  );
});

describe(verifies('8.6') + 'the doctor', () => {
  it('tells what c0re found', async () => {
    const answer = await dashboard.asOperator('GET', '/api/doctor');
    expect(answer.json()).toEqual({
      container_driver: 'process',
      broker_in_step: true,
      protections_off: [],
      checked_at: 'now',
      problems: [],
    });
  });
});
