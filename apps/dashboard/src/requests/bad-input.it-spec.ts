import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AGENT_NAME } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { DashboardFixture, type Answer } from '../testing/dashboard-fixture.js';

/**
 * Odd input to every route of messages, agents and of what waits: each is refused by the dashboard itself, in words, and
 * nothing of it reaches the broker or c0re.
 */

let dashboard: DashboardFixture;
beforeAll(async () => {
  dashboard = await DashboardFixture.start();
});
afterAll(() => dashboard.stop());

/** What reached the services behind the dashboard, the checks of the operator's credential aside. */
function reached(): number {
  const orders = dashboard.c0re.requests.filter(({ path }) => path !== '/v1/sessions/check');
  return dashboard.broker.calls.length + orders.length;
}

/** Sends it, and gives the refusal's code and words; nothing may have got past the dashboard. */
async function refused(
  method: string,
  path: string,
  raw?: string,
): Promise<{ status: number; code: string; message: string }> {
  const before = reached();
  const answer: Answer = await dashboard.asOperator(method, path, raw === undefined ? {} : { raw });
  expect(reached()).toBe(before);
  const { error } = answer.json() as { error: { code: string; message: string } };
  // A sentence, without marks that would turn its direction or hide a part of it.
  expect(error.message).toMatch(/^[^\p{C}]{12,}$/u);
  return { status: answer.status, ...error };
}

const LONG = 'x'.repeat(90);
/** Texts that are no id and no name; all but the last two are decoded before they are looked at. */
const ODD = [
  '%00',
  'm1%00',
  '%E2%80%8Fm1',
  '%E2%80%AEm1',
  'm1%20',
  'm1%0A',
  'M1',
  'm0',
  'm01',
  'm-1',
  'm1.',
  'm1e3',
  '1',
  '..%2f..%2fetc%2fpasswd',
  '%F0%9F%90%9D',
  "m1'--",
  LONG,
  // Half a surrogate pair in UTF-8, and what is no escape at all.
  '%ED%A0%80',
  '%zz',
];

const OF_IDS: [method: string, before: string, after: string, raw?: string][] = [
  ['POST', '/api/messages/', '/read'],
  ['POST', '/api/questions/', '/answer', '{"answer":"yes"}'],
  ['POST', '/api/questions/', '/cancel'],
  ['POST', '/api/reminders/', '/retry'],
  ['POST', '/api/reminders/', '/cancel'],
  ['POST', '/api/deliveries/', '/retry'],
];
const OF_NAMES: [method: string, after: string, raw?: string][] = [
  ['GET', ''],
  ['GET', '/inbox'],
  ['GET', '/turns'],
  ['GET', '/events'],
  ['GET', '/stats'],
  ['GET', '/threads'],
  ['GET', '/reminders'],
  ['GET', '/journal'],
  ['GET', '/config'],
  ['POST', '/start'],
  ['POST', '/stop'],
  ['POST', '/restart'],
  ['POST', '/destroy'],
  ['POST', '/cancel-turn'],
  ['POST', '/compact'],
  ['POST', '/new-session'],
  ['POST', '/model', '{"model":"opus"}'],
  ['POST', '/unpark'],
  ['POST', '/release'],
  ['POST', '/wake', '{"from":"ci","body":"built"}'],
];

describe(verifies('8.4', 'P33') + 'odd texts in a path', () => {
  it.each(OF_IDS)('%s %s…%s refuses what is no id', async (method, before, after, raw) => {
    for (const odd of ODD) {
      const { status, code } = await refused(method, `${before}${odd}${after}`, raw);
      expect([odd, status, code]).toEqual([odd, 400, 'invalid_request']);
    }
    const far = await refused(method, `${before}${'x'.repeat(5000)}${after}`, raw);
    expect([400, 404]).toContain(far.status);
  });

  it.each(OF_NAMES)('%s /api/agents/…%s refuses what is no name', async (method, after, raw) => {
    for (const odd of [...ODD.filter((each) => !AGENT_NAME.test(each)), 'operator', 'a_b', '*']) {
      const { status, code } = await refused(method, `/api/agents/${odd}${after}`, raw);
      expect([odd, status]).toEqual([odd, 400]);
      expect(['invalid_name', 'invalid_request']).toContain(code);
    }
  });

  it.each([
    ['/api/messages/t5/read', 'is not the id of a message; ids look like m12'],
    ['/api/questions/m3/cancel', 'is not the id of a question; ids look like q3'],
    ['/api/reminders/q5/retry', 'is not the id of a reminder; ids look like r5'],
    ['/api/deliveries/m12/retry', 'is not the id of a delivery; ids look like m12.3'],
    ['/api/deliveries/m12.3.4/retry', 'is not the id of a delivery'],
    ['/api/deliveries/m12.03/retry', 'is not the id of a delivery'],
  ])('POST %s says how one looks', async (path, words) => {
    expect((await refused('POST', path)).message).toContain(words);
  });
});

/** Every route with a query, and the parameters that it has beside its page. */
const LISTS: [path: string, before: string, most: number][] = [
  ['/api/messages', 'm9', 200],
  ['/api/messages?q=fox', 'm9', 50],
  ['/api/questions', 'q9', 200],
  ['/api/reminders', 'r9', 200],
  ['/api/deliveries', 'm9.1', 200],
  ['/api/agents/scout/inbox', 'm9', 200],
  ['/api/agents/scout/turns', 't9', 200],
  ['/api/agents/scout/reminders', 'r9', 200],
];
const withQuery = (path: string, query: string): string =>
  `${path}${path.includes('?') ? '&' : '?'}${query}`;

describe(verifies('8.4', 'P33') + 'odd texts in a query', () => {
  it.each(LISTS)('GET %s refuses them in `before`', async (path, before) => {
    const others = ['m9', 'q9', 'r9', 't9', 'm9.1', 'o9'].filter((id) => id !== before);
    // A query is decoded more leniently than a path: what is no UTF-8 becomes a text that is no id either.
    for (const odd of [...ODD, ...others, '', 'x'.repeat(3000)]) {
      const { status, code } = await refused('GET', withQuery(path, `before=${odd}`));
      expect([odd, status, code]).toEqual([odd, 400, 'invalid_request']);
    }
    const twice = await refused('GET', withQuery(path, `before=${before}&before=${before}`));
    expect(twice.status).toBe(400);
  });

  it.each(LISTS)(
    'GET %s takes `limit` from 1 on, and no more than its most',
    async (path, before, most) => {
      for (const odd of [
        '0',
        '-1',
        '1.5',
        '1e2',
        '',
        'NaN',
        '%00',
        '0x10',
        `${most + 1}`,
        '9'.repeat(40),
      ]) {
        const { status, message } = await refused('GET', withQuery(path, `limit=${odd}`));
        expect([odd, status]).toEqual([odd, 400]);
        expect(message).toContain('limit');
      }
      const asked = await dashboard.asOperator(
        'GET',
        withQuery(path, `limit=${most}&before=${before}`),
      );
      // The scripted broker has no answer to most, which shows that it was asked.
      expect(asked.status).not.toBe(400);
    },
  );

  it.each(LISTS)('GET %s refuses a parameter that it does not know', async (path) => {
    const { code, message } = await refused('GET', withQuery(path, '__proto__x=1'));
    expect([code, message]).toEqual(['unknown_field', 'unknown field "__proto__x"']);
  });

  it.each([
    ['/api/messages?q=', 'q must be longer'],
    ['/api/messages?q=a%00b', 'q holds a NUL character'],
    [`/api/messages?q=${'x'.repeat(501)}`, '500'],
    ['/api/messages?q=fox&limit=51', 'limit must not be greater than 50 with q'],
    ['/api/messages?q=fox&thread=m1', 'give thread or q, not both'],
    ['/api/messages?q=fox&q=bee', 'q '],
    ['/api/messages?thread=%E2%80%8Fm1', 'is not the id of a message'],
    ['/api/messages?agent=a%00', 'is not an agent name'],
    ['/api/questions?agent=%F0%9F%90%9D', 'is not an agent name'],
    ['/api/questions?state=%00', 'state must be one of'],
    ['/api/reminders?agent=operator', '"operator" is reserved'],
    ['/api/reminders?state=open', 'state must be one of'],
    ['/api/deliveries?agent=Scout', 'is not an agent name'],
    ['/api/deliveries?state=queued', 'state must be one of'],
    ['/api/agents/scout/events?turn_id=m7', 'is not the id of a turn; ids look like t7'],
    ['/api/agents/scout/events?turn_id=%00', 'is not the id of a turn'],
    ['/api/agents/scout/events?limit=1001', '1000'],
    ['/api/agents/scout/stats?window=1y', 'window must be one of'],
    ['/api/agents/scout/journal?lines=501', '500'],
  ])('GET %s says: %s', async (path, words) => {
    const { status, message } = await refused('GET', path);
    expect(status).toBe(400);
    expect(message).toContain(words);
  });
});

const NUL = String.raw`a\u0000b`;
const HALF = String.raw`a\ud800b`;
const LABEL = 'from must be a label of 1 to 32 lower-case letters, digits and dashes';

describe(verifies('8.4', 'P33', '1.15') + 'odd texts in a body', () => {
  it.each([
    ['/api/messages', `{"to":"${NUL}","body":"x"}`, 'to may not hold NUL'],
    ['/api/messages', `{"to":["a","${HALF}"],"body":"x"}`, 'to may not hold NUL'],
    ['/api/messages', '{"to":[],"body":"x"}', 'a list of 1 to 32 names'],
    [
      '/api/messages',
      JSON.stringify({ to: Array.from({ length: 33 }, (_, n) => `a${n}`), body: 'x' }),
      'a list of 1 to 32 names',
    ],
    ['/api/messages', `{"to":"a","body":"x","in_reply_to":"${HALF}"}`, 'in_reply_to holds a lone'],
    ['/api/messages', `{"to":"a","body":"x","in_reply_to":"${LONG}"}`, '40'],
    ['/api/messages', `{"to":"a","body":"x","idempotency_key":"${NUL}"}`, 'idempotency_key holds'],
    ['/api/questions/q3/answer', `{"answer":"${NUL}"}`, 'answer may not hold NUL'],
    ['/api/questions/q3/answer', `{"answer":["a","${HALF}"]}`, 'answer may not hold NUL'],
    ['/api/questions/q3/answer', '{"answer":[]}', 'a list of 1 to 21 texts'],
    ['/api/questions/q3/answer', '{"answer":null}', 'answer must be text'],
    ['/api/agents/scout/wake', `{"from":"ci","body":"${NUL}"}`, 'NUL'],
    ['/api/agents/scout/wake', `{"from":"ci","body":"${HALF}"}`, 'surrogate'],
    ['/api/agents/scout/wake', '{"from":"ci","body":""}', 'body is empty'],
    ['/api/agents/scout/wake', `{"from":"ci","body":"${'é'.repeat(2049)}"}`, '4096'],
    ['/api/agents/scout/wake', '{"from":"","body":"x"}', LABEL],
    ['/api/agents/scout/wake', '{"from":"C I","body":"x"}', LABEL],
    ['/api/agents/scout/wake', `{"from":"${'c'.repeat(33)}","body":"x"}`, LABEL],
    ['/api/agents/scout/wake', `{"from":"ci\\u200f","body":"x"}`, LABEL],
    ['/api/agents/scout/wake', '{"from":"ci\\n","body":"x"}', LABEL],
    ['/api/agents/scout/model', `{"model":"${NUL}"}`, 'model holds a NUL'],
    ['/api/agents/scout/model', `{"model":"${HALF}"}`, 'model holds a lone'],
    ['/api/agents/scout/model', `{"model":"${'m'.repeat(201)}"}`, '200'],
    ['/api/agents/scout/stop', `{"reason":"${HALF}"}`, 'reason holds a lone'],
    ['/api/agents/scout/destroy', `{"reason":"${'r'.repeat(201)}"}`, '200'],
    ['/api/agents', `{"name":"scout","yaml":"${NUL}"}`, 'yaml holds a NUL'],
    ['/api/agents', `{"name":"scout\\u200f","yaml":"role: agent"}`, 'is not an agent name'],
    ['/api/agents', `{"name":"${HALF}","yaml":"role: agent"}`, 'is not an agent name'],
  ])('POST %s refuses %.60s: %s', async (path, raw, words) => {
    const { status, message } = await refused('POST', path, raw);
    expect(status).toBe(400);
    expect(message).toContain(words);
  });
});
