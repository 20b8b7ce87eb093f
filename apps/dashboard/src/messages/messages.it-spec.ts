import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { HiveError } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { DashboardFixture } from '../testing/dashboard-fixture.js';

let dashboard: DashboardFixture;
beforeAll(async () => {
  dashboard = await DashboardFixture.start();
});
afterAll(() => dashboard.stop());

const HUGE = 'x'.repeat(300_000);

describe(verifies('1.1', '8.4') + 'POST /api/messages', () => {
  it('sends as the operator, with a request id for the retries', async () => {
    const body = { to: 'scout', body: 'héllo', in_reply_to: 'm3', idempotency_key: 'k1' };
    const answer = await dashboard.asOperator('POST', '/api/messages', { body });
    expect([answer.status, answer.json()]).toEqual([
      201,
      { id: 'm1', thread_id: 'm1', recipients: ['scout'] },
    ]);
    expect(dashboard.broker.of('send').at(-1)).toEqual({
      ...body,
      request_id: expect.stringMatching(/^[0-9a-f-]{14}7/) as string,
    });
  });

  it('says why the broker refused', async () => {
    dashboard.broker.on('send', () => {
      throw new HiveError('unknown_recipient', 'nobody is called "ghost"', { to: 'ghost' });
    });
    const answer = await dashboard.asOperator('POST', '/api/messages', {
      body: { to: 'ghost', body: 'x' },
    });
    expect([answer.status, answer.json()]).toEqual([
      404,
      {
        error: {
          code: 'unknown_recipient',
          message: 'nobody is called "ghost"',
          details: { to: 'ghost' },
        },
      },
    ]);
  });

  it('sends the same request again when the broker went away before it answered', async () => {
    const ids: unknown[] = [];
    dashboard.broker.on('send', ({ request_id }) => {
      ids.push(request_id);
      if (ids.length === 1) throw new HiveError('unavailable', 'the connection closed');
      return { id: 'm9', thread_id: 'm9', recipients: ['scout'] };
    });
    const answer = await dashboard.asOperator('POST', '/api/messages', {
      body: { to: 'scout', body: 'x' },
    });
    expect(answer.json()).toMatchObject({ id: 'm9' });
    expect(ids).toEqual([ids[0], ids[0]]);
  });

  it.each<[what: string, raw: string, status: number, code: string, words: string]>([
    ['no body', '', 400, 'malformed_json', 'one JSON object'],
    ['half a JSON', '{"to":"scout"', 400, 'malformed_json', 'not one JSON'],
    ['a list', '[]', 400, 'invalid_request', 'an array'],
    ['null', 'null', 400, 'invalid_request', 'to must be'],
    ['nothing in it', '{}', 400, 'invalid_request', 'to must be'],
    ['an unknown field', '{"to":"a","body":"x","urgent":true}', 400, 'unknown_field', 'urgent'],
    ['a number as body', '{"to":"a","body":7}', 400, 'invalid_request', 'body must be a string'],
    ['a number as to', '{"to":7,"body":"x"}', 400, 'invalid_request', 'to must be'],
    ['numbers as to', '{"to":["a",7],"body":"x"}', 400, 'invalid_request', 'to must be'],
    ['an empty body', '{"to":"a","body":""}', 400, 'invalid_request', 'empty'],
    ['a NUL', '{"to":"a","body":"a\\u0000b"}', 400, 'invalid_request', 'NUL'],
    ['half a pair', '{"to":"a","body":"a\\ud800b"}', 400, 'invalid_request', 'surrogate'],
    ['4097 bytes', `{"to":"a","body":"${'é'.repeat(2048)}x"}`, 400, 'body_too_long', '4096'],
    [
      'a strange priority',
      '{"to":"a","body":"x","priority":"high"}',
      400,
      'invalid_request',
      'low',
    ],
    ['an empty key', '{"to":"a","body":"x","idempotency_key":""}', 400, 'invalid_request', 'key'],
    ['300 kB', `{"to":"a","body":"${HUGE}"}`, 413, 'too_large', '262144'],
    [
      'a deep nest',
      `{"to":${'['.repeat(90_000)}${']'.repeat(90_000)}}`,
      400,
      'invalid_request',
      '32',
    ],
    [
      'a poisoned prototype',
      '{"__proto__":{"to":"a"},"to":"a","body":"x"}',
      400,
      'malformed_json',
      '',
    ],
  ])('refuses %s', async (_what, raw, status, code, words) => {
    const before = dashboard.broker.of('send').length;
    const answer = await dashboard.asOperator('POST', '/api/messages', { raw });
    expect([answer.status, answer.json()]).toMatchObject([status, { error: { code } }]);
    expect((answer.json() as { error: { message: string } }).error.message).toContain(words);
    expect(dashboard.broker.of('send')).toHaveLength(before);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])(
    'refuses a body of type %s',
    async (type) => {
      const answer = await dashboard.asOperator('POST', '/api/messages', {
        raw: 'to=scout&body=x',
        headers: { 'content-type': type },
      });
      expect(answer.status).toBe(400);
      expect(answer.json()).toHaveProperty('error.code', 'invalid_request');
    },
  );
});

describe(verifies('1.5') + 'GET /api/messages', () => {
  it('passes on what is asked for', async () => {
    await dashboard.asOperator('GET', '/api/messages?thread=m4&agent=operator&before=m9&limit=7');
    expect(dashboard.broker.of('messages').at(-1)).toEqual({
      thread: 'm4',
      agent: 'operator',
      before: 'm9',
      limit: 7,
    });
  });

  it.each([
    'thread=7',
    'before=t3',
    'agent=No%20Body',
    'limit=0',
    'limit=1e2',
    'limit=',
    'limit=999',
    'q=',
    'sort=old',
    'limit=5&limit=6',
  ])('refuses ?%s', async (query) => {
    const answer = await dashboard.asOperator('GET', `/api/messages?${query}`);
    expect(answer.status).toBe(400);
  });
});

describe(verifies('P19') + 'POST /api/messages/:id/read', () => {
  it('marks a message of the operator as read', async () => {
    const answer = await dashboard.asOperator('POST', '/api/messages/m5/read');
    expect(answer.json()).toMatchObject({ message: { id: 'm5' } });
  });

  it.each(['5', 't5', 'm0', 'm01', 'm5%2f..', 'x'.repeat(90)])('refuses the id %s', async (id) => {
    expect((await dashboard.asOperator('POST', `/api/messages/${id}/read`)).status).toBe(400);
  });
});
