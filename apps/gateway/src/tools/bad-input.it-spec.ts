import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { LIMITS, PRIORITIES, type BrokerGatewayApi } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import {
  choice,
  shown,
  text,
  textOrTexts,
  texts,
  whole,
  type FieldCase,
} from '../testing/bad-values.js';
import { GatewayFixture } from '../testing/gateway-fixture.js';
import { codeOf, textOf, type TestClient } from '../testing/mcp-client.js';
import { TOOLS } from './tool-list.js';

interface ToolCase {
  /** The broker's request behind the tool. */
  method: keyof BrokerGatewayApi;
  /** A call that is taken. */
  valid: Record<string, unknown>;
  fields: Record<string, FieldCase>;
}

const AT = '2026-01-01T00:00:00.000Z';
const NO_FIELDS = { valid: {}, fields: {} };
const ONE_ID = { valid: { id: 'x1' }, fields: { id: text() } };
const WAIT = { wait_seconds: whole(0, LIMITS.recv_wait_seconds) };

const CASES: Record<string, ToolCase> = {
  send: {
    method: 'send',
    valid: { to: 'bob', body: 'x' },
    fields: {
      to: textOrTexts(LIMITS.recipients),
      body: text(),
      in_reply_to: text({ required: false }),
      priority: choice(PRIORITIES),
      idempotency_key: text({ required: false, chars: 200 }),
    },
  },
  recv: { method: 'recv', valid: {}, fields: WAIT },
  recv_batch: {
    method: 'recv',
    valid: { max: 1 },
    fields: { max: whole(1, LIMITS.recv_batch, true), ...WAIT },
  },
  get_thread: { method: 'get_thread', ...ONE_ID },
  search_messages: {
    method: 'search_messages',
    valid: { query: 'x' },
    fields: {
      query: text({ chars: LIMITS.search_query_chars }),
      limit: whole(1, LIMITS.search_results),
    },
  },
  ask: {
    method: 'ask',
    valid: { question: 'x' },
    fields: {
      question: text(),
      options: texts(0, LIMITS.question_options, { chars: LIMITS.question_option_chars }),
      multi: { required: false, good: [true, false], bad: [null, 0, 'true', [], {}] },
      ttl_seconds: whole(1, LIMITS.question_ttl_seconds),
      to: text({ required: false }),
    },
  },
  answer: {
    method: 'answer',
    valid: { id: 'q1', answer: 'x' },
    fields: { id: text(), answer: textOrTexts(LIMITS.question_options + 1) },
  },
  list_my_asks: { method: 'list_my_asks', ...NO_FIELDS },
  cancel_ask: { method: 'cancel_ask', ...ONE_ID },
  remind: {
    method: 'remind',
    valid: { message: 'x', delay_seconds: 60 },
    fields: {
      message: text(),
      delay_seconds: whole(1, LIMITS.reminder_days * 86_400),
      every: text({ required: false, chars: 200 }),
      file_path: text({ required: false, chars: 200 }),
    },
  },
  list_my_reminders: { method: 'list_my_reminders', ...NO_FIELDS },
  cancel_reminder: { method: 'cancel_reminder', ...ONE_ID },
  get_open_threads: {
    method: 'get_open_threads',
    valid: {},
    fields: { scope: choice(['mine', 'hive']) },
  },
  list_agents: { method: 'list_agents', ...NO_FIELDS },
  whoami: { method: 'whoami', ...NO_FIELDS },
  set_status: { method: 'set_status', valid: { text: 'x' }, fields: { text: text() } },
  request_next_turn: { method: 'request_next_turn', ...NO_FIELDS },
  ack: {
    method: 'ack',
    valid: { ids: ['m1'] },
    fields: { ids: texts(1, 200, { required: true }) },
  },
};

/** What the broker says to a call that reached it: enough for each tool to make its result. */
const ANSWERS: { [K in keyof BrokerGatewayApi]?: BrokerGatewayApi[K][1] } = {
  send: { id: 'm1', thread_id: 'm1', recipients: ['bob'] },
  recv: {
    messages: [
      {
        id: 'm1',
        thread_id: 'm1',
        from: 'bob',
        from_kind: 'agent',
        to: 'alice',
        body: 'x',
        sent_at: AT,
        age_seconds: 0,
        priority: 'normal',
        broadcast: false,
        redelivered: false,
        attempt: 1,
        hop: 0,
        kind: 'message',
      },
    ],
    pending: 0,
  },
  get_thread: { thread_id: 'm1', messages: [] },
  search_messages: { messages: [] },
  ask: { id: 'q1' },
  answer: { id: 'q1', state: 'answered' },
  list_my_asks: { asks: [] },
  cancel_ask: { id: 'q1', state: 'cancelled' },
  remind: { id: 'r1', due_at: AT },
  list_my_reminders: { reminders: [] },
  cancel_reminder: { id: 'r1', state: 'cancelled' },
  get_open_threads: { threads: [] },
  list_agents: { agents: [] },
  whoami: {
    name: 'alice',
    role: 'agent',
    model: null,
    driver: 'external',
    hyperhive_rev: 'x',
    started_at: AT,
  },
  set_status: { status_text: '' },
  request_next_turn: { note: 'x' },
  ack: { acked: [], not_acked: [] },
};

type Call = [title: string, tool: string, args: Record<string, unknown>];

function calls(pick: 'good' | 'bad'): Call[] {
  return Object.entries(CASES).flatMap(([tool, { valid, fields }]) =>
    Object.entries(fields).flatMap(([name, field]) =>
      field[pick].map((value): Call => [
        `${tool} with ${name} ${shown(value)}`,
        tool,
        { ...valid, [name]: value },
      ]),
    ),
  );
}

function without(args: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(args).filter(([key]) => key !== name));
}

const MISSING = Object.entries(CASES).flatMap(([tool, { valid, fields }]) =>
  Object.entries(fields)
    .filter(([, { required }]) => required)
    .map(([name]): Call => [`${tool} without ${name}`, tool, without(valid, name)]),
);

const REMIND: Call[] = [
  ['remind without a time', 'remind', { message: 'x' }],
  ['remind with two times', 'remind', { message: 'x', delay_seconds: 60, at: AT }],
  ['remind with a zone but no series', 'remind', { message: 'x', at: AT, every_tz: 'UTC' }],
  ...[null, true, {}, [], [AT], '', 'x'.repeat(65)].map((at): Call => [
    `remind at ${shown(at)}`,
    'remind',
    { message: 'x', at },
  ]),
  ...[null, 7, '', 'x'.repeat(201)].map((zone): Call => [
    `remind with every_tz ${shown(zone)}`,
    'remind',
    { message: 'x', at: AT, every: '0 9 * * *', every_tz: zone },
  ]),
];

let fixture: GatewayFixture;
let alice: TestClient;

beforeAll(async () => {
  fixture = await GatewayFixture.start();
  fixture.broker.knows('run-1', 'alice', 'run');
  for (const [method, answer] of Object.entries(ANSWERS)) {
    fixture.broker.on(method as keyof BrokerGatewayApi, () => answer);
  }
  alice = await fixture.connect('run-1');
});
afterAll(() => fixture.stop());
beforeEach(() => {
  fixture.broker.calls.length = 0;
});

/** Requests behind tools that reached the broker. */
function reached(): string[] {
  return fixture.broker.calls
    .map(({ method }) => method)
    .filter((method) => method !== 'authenticate' && method !== 'answers_written');
}

describe(`${verifies('8.3', '8.4')}bad input of every tool`, () => {
  it('is tried with each field of each tool', () => {
    expect(Object.keys(CASES)).toEqual(expect.arrayContaining(TOOLS.map(({ name }) => name)));
    expect(Object.keys(CASES)).toHaveLength(TOOLS.length);
  });

  it.each([...calls('bad'), ...MISSING, ...REMIND])(
    '%s is refused in words, and goes no further',
    async (_, tool, args) => {
      const result = await alice.call(tool, args);
      expect(result.isError).toBe(true);
      expect(codeOf(result)).toBe('invalid_request');
      expect(textOf(result)).toMatch(new RegExp(`^Refused.* ${tool} takes: `, 's'));
      expect(textOf(result).length).toBeLessThan(1000);
      expect(result.structuredContent).toBeUndefined();
      expect(reached()).toEqual([]);
    },
  );

  it.each(Object.entries(CASES))('%s knows no other field', async (tool, { valid }) => {
    for (const name of ['subject', 'credential', 'session', 'request_id', '__proto__x', '\u202e']) {
      const result = await alice.call(tool, { ...valid, [name]: 'x' });
      expect(codeOf(result)).toBe('unknown_field');
    }
    expect(reached()).toEqual([]);
  });

  it.each(calls('good'))('%s is taken', async (_, tool, args) => {
    const result = await alice.call(tool, args);
    expect(textOf(result)).not.toMatch(/^Refused/);
    const method = CASES[tool]?.method;
    expect(reached()).toEqual([method]);
  });

  it.each([1_800_000_000, 0, -1, 1e308, AT, 'tomorrow'])(
    'what a time of %j means is for the broker to say',
    async (at) => {
      await alice.call('remind', { message: 'x', at });
      expect(fixture.broker.of('remind')).toMatchObject([{ message: 'x', at }]);
    },
  );
});
