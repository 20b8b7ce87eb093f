import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  LIMITS,
  type Message,
  type OpenAsk,
  type OwnReminder,
  type PeerRow,
  type SendResult,
} from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { ODD_TEXT, shown } from '../testing/bad-values.js';
import { codeOf, textOf, type TestClient } from '../testing/mcp-client.js';
import { TestHive } from '../testing/test-hive.js';

/** What the gateway cannot judge, against a real broker: texts, ids, and what the values mean. */
let hive: TestHive;
let alice: TestClient;
let bob: TestClient;
/** Ids of things that exist and that are not alice's. */
const foreign = { message: '', question: '', reminder: '' };

beforeAll(async () => {
  hive = await TestHive.start({ agents: ['alice', 'bob', 'carol', 'manager'] });
  await hive.withGateway();
  alice = await hive.connect('alice');
  bob = await hive.connect('bob');
  foreign.message = (await bob.data<SendResult>('send', { to: 'carol', body: 'secret' })).id;
  foreign.question = (await bob.data<{ id: string }>('ask', { question: 'secret?' })).id;
  const reminder = { message: 'secret', delay_seconds: 86_400 };
  foreign.reminder = (await bob.data<{ id: string }>('remind', reminder)).id;
});
afterAll(() => hive.stop());

interface Stored {
  bob: Message[];
  asks: OpenAsk[];
  reminders: OwnReminder[];
  status: string | undefined;
}

/** Everything that a call of alice's may have stored; bob's inbox is emptied by looking. */
async function stored(): Promise<Stored> {
  const { messages } = await bob.data<{ messages: Message[] }>('recv_batch', { max: 32 });
  const { asks } = await alice.data<{ asks: OpenAsk[] }>('list_my_asks');
  const { reminders } = await alice.data<{ reminders: OwnReminder[] }>('list_my_reminders');
  const { agents } = await alice.data<{ agents: PeerRow[] }>('list_agents');
  const status = agents.find(({ name }) => name === 'alice')?.status_text;
  return { bob: messages, asks, reminders, status };
}

const NOTHING: Stored = { bob: [], asks: [], reminders: [], status: '' };

const UNSTORABLE: [string, string][] = [
  ['half of a pair', 'a\ud83d'],
  ['the other half', '\udc1db'],
  ['a pair the wrong way round', '\udc1d\ud83d'],
  ['NUL', 'a\0b'],
];
/** Each text of each tool that is stored. */
const TEXTS: [string, (text: string) => Record<string, unknown>][] = [
  ['send', (body) => ({ to: 'bob', body })],
  ['ask', (question) => ({ question, to: 'bob' })],
  ['ask', (option) => ({ question: 'x', options: ['y', option], to: 'bob' })],
  ['remind', (message) => ({ message, delay_seconds: 60 })],
  ['remind', (file) => ({ message: 'x', delay_seconds: 60, file_path: file })],
  ['set_status', (text) => ({ text })],
];
const UNSTORABLE_CALLS = TEXTS.flatMap(([tool, args]) =>
  UNSTORABLE.map(([what, text]): [string, string, Record<string, unknown>] => [
    tool,
    what,
    args(text),
  ]),
);

const TIME = { message: 'x', delay_seconds: 60 };
const REFUSED: [string, Record<string, unknown>, string][] = [
  ['send', { to: 'bob', body: 'x'.repeat(LIMITS.body_bytes + 1) }, 'body_too_long'],
  ['send', { to: 'nobody', body: 'x' }, 'unknown_recipient'],
  ['send', { to: ['bob', 'nobody'], body: 'x' }, 'unknown_recipient'],
  ['send', { to: ['bob', 'bob\ud83d'], body: 'x' }, 'unknown_recipient'],
  ['send', { to: ['bob', '*'], body: 'x' }, 'invalid_request'],
  ['send', { to: 'bob\u200b', body: 'x' }, 'unknown_recipient'],
  ['ask', { question: '', to: 'bob' }, 'invalid_request'],
  ['ask', { question: ' \n', to: 'bob' }, 'invalid_request'],
  ['ask', { question: 'x'.repeat(LIMITS.body_bytes + 1), to: 'bob' }, 'body_too_long'],
  ['ask', { question: 'x', to: 'alice' }, 'invalid_request'],
  ['ask', { question: 'x', to: '*' }, 'invalid_request'],
  ['ask', { question: 'x', to: 'nobody' }, 'unknown_recipient'],
  ['ask', { question: 'x', to: 'b\u202eob' }, 'unknown_recipient'],
  ['ask', { question: 'x', to: '' }, 'unknown_recipient'],
  ['ask', { question: 'x', options: ['a', 'a'], to: 'bob' }, 'invalid_request'],
  ['ask', { question: 'x', multi: true, to: 'bob' }, 'invalid_request'],
  ['remind', { ...TIME, message: '' }, 'invalid_request'],
  ['remind', { ...TIME, message: 'x'.repeat(LIMITS.reminder_bytes + 1) }, 'body_too_long'],
  ...[
    '2020-01-01T00:00:00Z',
    '2999-01-01T00:00:00Z',
    '2027-01-01T00:00:00',
    '2027-02-30T00:00:00Z',
    'tomorrow',
    0,
    -1,
    1,
    2 ** 53,
    1e308,
  ].map((at): [string, Record<string, unknown>, string] => [
    'remind',
    { message: 'x', at },
    'invalid_request',
  ]),
  ...['PT59S', 'PT0S', '-PT1H', 'P', 'P9999Y', '* * * * * *', '61 * * * *', 'daily', '@yearly'].map(
    (every): [string, Record<string, unknown>, string] => [
      'remind',
      { ...TIME, every },
      'invalid_request',
    ],
  ),
  ['remind', { ...TIME, every: '0 9 * * *', every_tz: 'Mars/Olympus' }, 'invalid_request'],
  ['remind', { ...TIME, every: 'PT1H', every_tz: 'UTC' }, 'invalid_request'],
  ...['/etc/passwd', '../x', 'a/../../x', 'a//b', './a', 'a/', 'a\nb', 'a\u202eb'].map(
    (file): [string, Record<string, unknown>, string] => [
      'remind',
      { ...TIME, file_path: file },
      'invalid_request',
    ],
  ),
  ['set_status', { text: 'x'.repeat(LIMITS.status_chars + 1) }, 'invalid_request'],
  ['search_messages', { query: ' "*() ' }, 'invalid_request'],
  ['get_open_threads', { scope: 'hive' }, 'forbidden'],
  ['ack', { ids: ['x'] }, 'invalid_request'],
];

describe(`${verifies('8.3', '1.1', '2.1', '3.1', 'P33')}what may not be stored`, () => {
  it.each(UNSTORABLE_CALLS)('%s of %s is refused, and nothing is stored', async (tool, _, args) => {
    const result = await alice.call(tool, args);
    expect(codeOf(result)).toBe('invalid_request');
    expect(textOf(result).isWellFormed()).toBe(true);
    expect(await stored()).toEqual(NOTHING);
  });

  it.each(REFUSED.map(([tool, args, code]) => ({ tool, args, code, title: shown(args) })))(
    '$tool $title is refused ($code), and nothing is stored',
    async ({ tool, args, code }) => {
      const result = await alice.call(tool, args);
      expect(textOf(result)).toMatch(/^Refused/);
      expect(codeOf(result)).toBe(code);
      expect(textOf(result).length).toBeLessThan(700);
      expect(await stored()).toEqual(NOTHING);
    },
  );

  it.each(UNSTORABLE)('an answer with %s leaves the question open', async (_, text) => {
    const { id } = await bob.data<{ id: string }>('ask', {
      question: 'x',
      to: 'alice',
      options: ['a', 'b'],
    });
    for (const answer of [text, ['a', text], '', ['a', 'b'], 'x'.repeat(LIMITS.body_bytes + 1)]) {
      expect((await alice.call('answer', { id, answer })).isError).toBe(true);
    }
    const { asks } = await bob.data<{ asks: OpenAsk[] }>('list_my_asks');
    expect(asks.map((ask) => ask.id)).toContain(id);
    await bob.data('cancel_ask', { id });
    await alice.data('recv_batch', { max: 32 });
  });
});

const ODD_IDS = ['', 'x', 'Q1', 'q1 ', 'q01', 'q-1', 'q1e3', 'q1.0', 'q1\0', '\ud83d', 'q1\u202e'];
const IDS = [...ODD_IDS, "q1'; DROP TABLE messages", `q${'9'.repeat(15)}`, `q${'9'.repeat(60)}`];

describe(`${verifies('8.3', '2.2', '2.3', '3.2', 'P34')}an id that is not the caller's`, () => {
  it.each([
    ['get_thread', 'm', () => foreign.message, {}],
    ['answer', 'q', () => foreign.question, { answer: 'x' }],
    ['cancel_ask', 'q', () => foreign.question, {}],
    ['cancel_reminder', 'r', () => foreign.reminder, {}],
  ] as const)('%s says the same of unknown, odd and foreign ids', async (tool, kind, own, rest) => {
    const ids = [...IDS.map((id) => id.replace(/^q/, kind)), `${kind}999999`];
    const refusals = new Set<string>();
    for (const id of [...ids, own()]) {
      const result = await alice.call(tool, { ...rest, id });
      expect([id, codeOf(result)]).toEqual([id, 'not_found']);
      refusals.add(textOf(result));
    }
    expect(refusals.size).toBe(1);
    const tooLong = await alice.call(tool, { ...rest, id: `${kind}${'9'.repeat(300)}` });
    expect(codeOf(tooLong)).toBe('invalid_request');
  });

  it('changed nothing of its owner', async () => {
    const { asks } = await bob.data<{ asks: OpenAsk[] }>('list_my_asks');
    expect(asks.map(({ id }) => id)).toEqual([foreign.question]);
    const { reminders } = await bob.data<{ reminders: OwnReminder[] }>('list_my_reminders');
    expect(reminders.map(({ id, state }) => [id, state])).toEqual([[foreign.reminder, 'pending']]);
  });

  it('acknowledges nothing of others', async () => {
    const { not_acked: rest } = await alice.data<{ not_acked: { id: string }[] }>('ack', {
      ids: [foreign.message, 'm999999'],
    });
    expect(rest.map(({ id }) => id)).toEqual([foreign.message, 'm999999']);
  });

  it('finds nothing of others by their words', async () => {
    for (const query of ['secret', 'sec', `${ODD_TEXT} secret`, 'secret OR 1']) {
      expect(await alice.data('search_messages', { query })).toEqual({ messages: [] });
    }
  });
});

describe(`${verifies('8.3', '1.1', '2.1', '3.1', 'P33')}what may be stored`, () => {
  it('comes out as it went in: marks of direction, zero-width characters, pairs', async () => {
    await alice.data('send', { to: 'bob', body: ODD_TEXT });
    const asked = { question: ODD_TEXT, options: [ODD_TEXT, 'x'], multi: true, to: 'bob' };
    const { id: ask } = await alice.data<{ id: string }>('ask', asked);
    const { id: reminder } = await alice.data<{ id: string }>('remind', {
      message: ODD_TEXT,
      delay_seconds: 60,
    });
    await alice.data('set_status', { text: ODD_TEXT });
    const { bob: messages, asks, reminders, status } = await stored();
    expect(messages.map(({ body }) => body)).toEqual([ODD_TEXT, ODD_TEXT]);
    expect(messages[1]?.question).toMatchObject({ id: ask, options: [ODD_TEXT, 'x'], multi: true });
    expect(asks).toMatchObject([{ id: ask, question: ODD_TEXT, target: 'bob' }]);
    expect(reminders).toMatchObject([{ id: reminder, message: ODD_TEXT, state: 'pending' }]);
    expect(status).toBe(ODD_TEXT);

    await bob.data('answer', { id: ask, answer: [ODD_TEXT, 'x'] });
    const { messages: got } = await alice.data<{ messages: Message[] }>('recv_batch', { max: 32 });
    expect(got).toMatchObject([{ kind: 'answer', body: `${ODD_TEXT}, x`, from: 'bob' }]);
    await alice.data('cancel_reminder', { id: reminder });
    await alice.data('set_status', { text: '' });
  });

  it.each([LIMITS.body_bytes - 1, LIMITS.body_bytes])('a question of %i bytes', async (bytes) => {
    const question = `${'ü'.repeat((bytes - (bytes % 2)) / 2)}${bytes % 2 === 1 ? 'x' : ''}`;
    const { id } = await alice.data<{ id: string }>('ask', { question });
    expect((await stored()).asks).toMatchObject([{ id, question }]);
    await alice.data('cancel_ask', { id });
  });

  it.each([LIMITS.reminder_bytes - 1, LIMITS.reminder_bytes])(
    'a reminder of %i bytes, with where it will be put',
    async (bytes) => {
      const { id, note } = await alice.data<{ id: string; note?: string }>('remind', {
        message: 'x'.repeat(bytes),
        delay_seconds: 60,
      });
      expect(note).toContain(`reminders/${id}.md`);
      await alice.data('cancel_reminder', { id });
    },
  );

  it.each(['PT60S', 'P1D', '* * * * *', '0 9 * * 1-5'])('a reminder every %s', async (every) => {
    const { id } = await alice.data<{ id: string }>('remind', { ...TIME, every });
    expect((await stored()).reminders).toMatchObject([{ id, every }]);
    await alice.data('cancel_reminder', { id });
  });
});
