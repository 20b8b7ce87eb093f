import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { HiveError } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { DashboardFixture } from '../testing/dashboard-fixture.js';

const SHA = '0123456789'.repeat(4);

let dashboard: DashboardFixture;
beforeAll(async () => {
  dashboard = await DashboardFixture.start();
});
afterAll(() => dashboard.stop());
beforeEach(() => {
  dashboard.c0re.requests.length = 0;
});

/** What reached c0re beside the checks of the credential. */
function asked(): [string, unknown][] {
  return dashboard.c0re.requests
    .filter(({ path }) => path !== '/v1/sessions/check')
    .map(({ method, path, body }) => [`${method} ${path}`, body]);
}

describe(verifies('4.4', '4.5', '4.6', '8.7', 'P30') + 'approvals and configs over HTTP', () => {
  it.each([
    ['/api/approvals', '/v1/approvals'],
    [
      '/api/approvals?state=pending&agent=ada&limit=5',
      '/v1/approvals?state=pending&agent=ada&limit=5',
    ],
    ['/api/approvals/a3', '/v1/approvals/a3'],
    ['/api/approvals/a3?base=queued', '/v1/approvals/a3?base=queued'],
    ['/api/agents/ada/config', '/v1/agents/ada/config'],
    [
      '/api/agents/ada/config/file?path=bin%2Fx.mjs&at=deployed%2F0',
      '/v1/agents/ada/config/file?path=bin%2Fx.mjs&at=deployed%2F0',
    ],
    [`/api/agents/ada/config/diff?to=${SHA}`, `/v1/agents/ada/config/diff?to=${SHA}`],
    ['/api/meta-inputs', '/v1/meta-inputs'],
    ['/api/audit?limit=7&before=9', '/v1/audit?limit=7&before=9'],
  ])('GET %s asks c0re with the credential of the request', async (path, theirs) => {
    const route = theirs.split('?', 1)[0] ?? '';
    dashboard.c0re.on(`GET ${route}`, () => ({ answered: route }));
    const { status, json } = await dashboard.asOperator('GET', path);
    expect([status, json()]).toEqual([200, { answered: route }]);
    expect(asked()).toEqual([[`GET ${theirs}`, null]]);
    const last = dashboard.c0re.requests.at(-1);
    expect(last?.headers['authorization']).toBe(`Bearer ${dashboard.c0re.operatorToken}`);
  });

  it.each([
    ['/api/approvals/a3/approve', { sha: SHA }, '/v1/approvals/a3/approve', 202],
    ['/api/approvals/a3/approve?wait=1', { sha: null }, '/v1/approvals/a3/approve?wait=1', 202],
    ['/api/approvals/a3/deny', { reason: 'no' }, '/v1/approvals/a3/deny', 200],
    ['/api/approvals/a3/deny', {}, '/v1/approvals/a3/deny', 200],
    ['/api/meta-inputs', { inputs: ['hyperhive'] }, '/v1/meta-inputs', 200],
  ])('POST %s', async (path, body, theirs, expected) => {
    dashboard.c0re.on(`POST ${theirs.split('?', 1)[0]}`, () => ({ approval: { id: 'a3' } }));
    const { status } = await dashboard.asOperator('POST', path, { body });
    expect(status).toBe(expected);
    expect(asked()).toEqual([[`POST ${theirs}`, body]]);
  });

  it('passes on what c0re refuses', async () => {
    dashboard.c0re.on('POST /v1/approvals/a3/approve', () => {
      throw new HiveError('conflict', 'a3 is about another commit');
    });
    const answer = await dashboard.asOperator('POST', '/api/approvals/a3/approve', {
      body: { sha: SHA },
    });
    expect([answer.status, answer.json()]).toEqual([
      409,
      { error: { code: 'conflict', message: 'a3 is about another commit' } },
    ]);
  });

  it.each([
    ['POST', '/api/approvals/a3/approve', {}],
    ['POST', '/api/approvals/a3/approve', { sha: '0123456' }],
    ['POST', '/api/approvals/a3/approve', { sha: SHA.toUpperCase().replace('0', 'A') }],
    ['POST', '/api/approvals/a3/approve', { sha: SHA, force: true }],
    ['POST', '/api/approvals/a3/deny', { reason: 7 }],
    ['POST', '/api/approvals/a3/deny', { reason: 'x'.repeat(2001) }],
    ['POST', '/api/approvals/3/deny', {}],
    ['POST', '/api/approvals/..%2Fx/deny', {}],
    ['POST', '/api/meta-inputs', { inputs: 'hyperhive' }],
    ['GET', '/api/approvals?state=open', undefined],
    ['GET', '/api/approvals?before=o1', undefined],
    ['GET', '/api/approvals?agent=..', undefined],
    ['GET', '/api/approvals/a3?base=other', undefined],
    ['GET', '/api/agents/ada/config/file?at=main', undefined],
    ['GET', '/api/agents/ada/config/diff?to=HEAD~1', undefined],
    ['GET', '/api/agents/ada/config/diff', undefined],
    ['GET', '/api/audit?limit=501', undefined],
  ] as const)('%s %s refuses %j', async (method, path, body) => {
    const answer = await dashboard.asOperator(method, path, body === undefined ? {} : { body });
    expect(answer.status).toBe(400);
    expect(asked()).toEqual([]);
  });
});
