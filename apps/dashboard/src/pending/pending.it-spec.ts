import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { HiveError } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { DashboardFixture } from '../testing/dashboard-fixture.js';
import { message } from '../testing/scripted-broker.js';

let dashboard: DashboardFixture;
beforeAll(async () => {
  dashboard = await DashboardFixture.start();
  const { broker } = dashboard;
  broker.on('questions', () => ({ questions: [] }));
  broker.on('reminders', () => ({ reminders: [] }));
  broker.on('dead_deliveries', () => ({ deliveries: [] }));
  broker.on('needs_you', () => ({ version: 3, needs_you: [] }));
  broker.on('agent_threads', () => ({ threads: [] }));
  broker.on('search', () => ({ messages: [] }));
  broker.on('wake', () => ({ id: 'm1', thread_id: 'm1', recipients: ['scout'] }));
  broker.on('retry_delivery', () => ({ message: message('m12', 'hi') }));
});
afterAll(() => dashboard.stop());

const REQUEST_ID = expect.stringMatching(/^[0-9a-f-]{14}7/) as string;

describe(verifies('2.1', '3.7', '1.2', '1.9', '2.4') + 'lists of what waits', () => {
  it.each([
    ['/api/questions?state=open&agent=operator&limit=5', 'questions'],
    ['/api/reminders?agent=scout&state=failed&before=r9', 'reminders'],
    ['/api/agents/scout/reminders', 'reminders'],
    ['/api/deliveries?state=dead&agent=scout', 'dead_deliveries'],
    ['/api/agents/scout/threads', 'agent_threads'],
    ['/api/messages?q=red%20fox&agent=scout&limit=9', 'search'],
    ['/api/needs-you', 'needs_you'],
  ] as const)('GET %s asks the broker for %s', async (path, method) => {
    const answer = await dashboard.asOperator('GET', path);
    expect(answer.status).toBe(200);
    const { searchParams, pathname } = new URL(path, 'http://x');
    const { state, q, limit, ...asked } = Object.fromEntries(searchParams);
    const named = /agents\/(\w+)/.exec(pathname)?.[1];
    expect(dashboard.broker.of(method).at(-1)).toEqual({
      ...asked,
      ...(state === undefined || method === 'dead_deliveries' ? {} : { state }),
      ...(q === undefined ? {} : { query: q }),
      ...(limit === undefined ? {} : { limit: Number(limit) }),
      ...(named === undefined ? {} : { agent: named }),
    });
  });

  it('are in the state that the page starts from', async () => {
    const { status, json } = await dashboard.asOperator('GET', '/api/state');
    expect(status).toBe(200);
    expect(json()).toMatchObject({ questions: [], reminders_failed: [], needs_you: [] });
  });

  it.each([
    '/api/questions?state=waiting',
    '/api/questions?agent=No%20Body',
    '/api/questions?limit=0',
    '/api/questions?order=old',
    '/api/reminders?state=late',
    '/api/reminders?limit=201',
    '/api/deliveries?state=queued',
    '/api/deliveries?agent=*',
    '/api/messages?q=x&thread=m1',
    `/api/messages?q=${'x'.repeat(501)}`,
    '/api/agents/No%20Body/threads',
  ])('refuse %s', async (path) => {
    const before = dashboard.broker.calls.length;
    const answer = await dashboard.asOperator('GET', path);
    expect(answer.status).toBe(400);
    expect(dashboard.broker.calls).toHaveLength(before);
  });
});

describe(verifies('2.2', '3.5', '1.15', '1.2') + 'what the operator does about it', () => {
  it.each([
    [
      '/api/questions/q3/answer',
      { answer: ['a', 'b'] },
      'answer_question',
      { id: 'q3', answer: ['a', 'b'], request_id: REQUEST_ID },
    ],
    [
      '/api/questions/q3/cancel',
      undefined,
      'cancel_question',
      { id: 'q3', request_id: REQUEST_ID },
    ],
    ['/api/reminders/r5/retry', undefined, 'retry_reminder', { id: 'r5', request_id: REQUEST_ID }],
    [
      '/api/reminders/r5/cancel',
      undefined,
      'cancel_reminder',
      { id: 'r5', request_id: REQUEST_ID },
    ],
    [
      '/api/deliveries/m12.3/retry',
      undefined,
      'retry_delivery',
      { id: 'm12.3', request_id: REQUEST_ID },
    ],
    [
      '/api/agents/scout/wake',
      { from: 'ci', body: 'built' },
      'wake',
      { agent: 'scout', from: 'ci', body: 'built', request_id: REQUEST_ID },
    ],
  ] as const)('POST %s', async (path, body, method, params) => {
    await dashboard.asOperator('POST', path, body === undefined ? {} : { body });
    expect(dashboard.broker.of(method).at(-1)).toEqual(params);
  });

  it.each([
    ['/api/questions/q3/answer', '{}'],
    ['/api/questions/q3/answer', '{"answer":7}'],
    ['/api/questions/q3/answer', '{"answer":["a",7]}'],
    ['/api/questions/q3/answer', '{"answer":"a","by":"me"}'],
    ['/api/questions/q3/answer', ''],
    ['/api/questions/q3/cancel', '{"why":"x"}'],
    ['/api/reminders/r5/retry', '{"at":"now"}'],
    ['/api/agents/scout/wake', '{"from":"ci"}'],
    ['/api/agents/scout/wake', '{"from":7,"body":"x"}'],
    ['/api/agents/No%20Body/wake', '{"from":"ci","body":"x"}'],
  ])('POST %s refuses %s', async (path, raw) => {
    const before = dashboard.broker.calls.length;
    const answer = await dashboard.asOperator('POST', path, { raw });
    expect(answer.status).toBe(400);
    expect(dashboard.broker.calls).toHaveLength(before);
  });

  it('passes on why the broker refused', async () => {
    dashboard.broker.on('answer_question', () => {
      throw new HiveError('conflict', 'q3 was answered before');
    });
    const answer = await dashboard.asOperator('POST', '/api/questions/q3/answer', {
      body: { answer: 'x' },
    });
    expect([answer.status, answer.json()]).toMatchObject([409, { error: { code: 'conflict' } }]);
  });
});
