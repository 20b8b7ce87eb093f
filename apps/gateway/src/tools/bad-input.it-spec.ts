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
  /** The broker's request behind the tool, or c0re's. */
  method: keyof BrokerGatewayApi | `${'GET' | 'POST'} /${string}`;
  /** A call that is taken. */
  valid: Record<string, unknown>;
  fields: Record<string, FieldCase>;
}

const AT = '2026-01-01T00:00:00.000Z';
const NO_FIELDS = { valid: {}, fields: {} };
const ONE_ID = { valid: { id: 'x1' }, fields: { id: text() } };
const WAIT = { wait_seconds: whole(0, LIMITS.recv_wait_seconds) };

const AGENT_CASES: Record<string, ToolCase> = {
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

const DESCRIPTION = text({ required: false });
const NAME: FieldCase = {
  required: true,
  good: ['x', 'x'.repeat(64)],
  bad: [null, true, 7, {}, [], ['x'], '', 'x'.repeat(65)],
};
const SHA: FieldCase = {
  required: true,
  good: ['0123456', 'a'.repeat(40)],
  bad: [
    null,
    true,
    1_234_567,
    {},
    ['0123456'],
    '',
    '012345',
    'A'.repeat(7),
    'a'.repeat(41),
    'main',
    'HEAD',
    '-x',
    '../0123456',
    '0123456\u202e',
    '0123456\0',
  ],
};
const verbCase = (verb: string): ToolCase => ({
  method: `POST /v1/manager/agents/x/${verb}`,
  valid: { name: 'x' },
  fields: { name: { ...NAME, good: ['x'] } },
});

/** The manager's own. */
const MANAGER_CASES: Record<string, ToolCase> = {
  request_init_config: {
    method: 'POST /v1/manager/init-config',
    valid: { name: 'x' },
    fields: { name: NAME, description: DESCRIPTION },
  },
  request_spawn: {
    method: 'POST /v1/manager/spawn',
    valid: { name: 'x' },
    fields: { name: NAME, description: DESCRIPTION },
  },
  request_apply_commit: {
    method: 'POST /v1/manager/apply-commit',
    valid: { agent: 'x', commit_ref: '0123456' },
    fields: { agent: NAME, commit_ref: SHA, description: DESCRIPTION },
  },
  request_update_meta_inputs: {
    method: 'POST /v1/manager/meta-inputs',
    valid: {},
    fields: { inputs: texts(0, 100), description: DESCRIPTION },
  },
  start: verbCase('start'),
  stop: verbCase('stop'),
  restart: verbCase('restart'),
  rebuild: verbCase('rebuild'),
  restart_all: { method: 'POST /v1/manager/restart-all', ...NO_FIELDS },
  get_logs: {
    method: 'GET /v1/manager/agents/x/journal?lines=50',
    valid: { agent: 'x' },
    fields: {
      agent: { ...NAME, good: ['x'] },
      lines: { required: false, good: [50], bad: [null, '1', 0, -1, 501, 1.5, [50]] },
    },
  },
  cancel_question: { method: 'cancel_question', ...ONE_ID },
};
const CASES: Record<string, ToolCase> = { ...AGENT_CASES, ...MANAGER_CASES };

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
  cancel_question: { id: 'q1', state: 'cancelled' },
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

/** What c0re says to one. */
function c0reAnswer(url: string): object {
  if (url.includes('/journal')) return { agent: 'x', lines: [] };
  if (/agents|restart-all/.test(url)) {
    return { operation: { id: 'o1', kind: 'start', agent: 'x', state: 'queued' } };
  }
  return { id: 'a1', state: 'pending' };
}

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
  fixture.broker.knows('run-1', 'manager', 'run', 'manager');
  fixture.c0re.answer = ({ url }) => ({ body: c0reAnswer(url) });
  for (const [method, answer] of Object.entries(ANSWERS)) {
    fixture.broker.on(method as keyof BrokerGatewayApi, () => answer);
  }
  alice = await fixture.connect('run-1');
});
afterAll(() => fixture.stop());
beforeEach(() => {
  fixture.broker.calls.length = 0;
  fixture.c0re.requests.length = 0;
});

/** Requests behind tools that reached the broker. */
function reached(): string[] {
  const asked = fixture.c0re.requests
    .map(({ method, url }) => `${method} ${url}`)
    // It goes before what the broker is asked.
    .filter((request) => request !== 'POST /v1/manager/cancels');
  const behind = fixture.broker.calls
    .map(({ method }) => method)
    .filter((method) => method !== 'authenticate' && method !== 'answers_written');
  return [...asked, ...behind];
}

describe(`${verifies('8.3', '8.4', '4.6')}bad input of every tool`, () => {
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
