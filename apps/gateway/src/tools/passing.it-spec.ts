import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { HiveError, LIMITS, type BrokerGatewayApi, type Message } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { GatewayFixture } from '../testing/gateway-fixture.js';
import { codeOf, textOf, type TestClient } from '../testing/mcp-client.js';

const CREDENTIAL = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
const CHANGES = {
  credential: CREDENTIAL,
  session: expect.any(String) as string,
  request_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
};
const READS = { credential: CREDENTIAL };
const AT = '2026-01-01T00:00:00.000Z';

interface Pass<K extends keyof BrokerGatewayApi> {
  tool: K;
  args: Record<string, unknown>;
  /** What the broker is given beside the call's own ids. */
  params?: Record<string, unknown>;
  answer: BrokerGatewayApi[K][1];
  text: RegExp;
}

function changing<K extends 'ask' | 'answer' | 'cancel_ask' | 'remind' | 'cancel_reminder'>(
  pass: Pass<K>,
) {
  return { ...pass, params: { ...CHANGES, ...(pass.params ?? pass.args) } };
}
function reading<
  K extends 'list_my_asks' | 'list_my_reminders' | 'get_open_threads' | 'search_messages',
>(pass: Pass<K>) {
  return { ...pass, params: { ...READS, ...(pass.params ?? pass.args) } };
}

let fixture: GatewayFixture;
let alice: TestClient;

beforeAll(async () => {
  fixture = await GatewayFixture.start();
  fixture.broker.knows('run-1', 'alice', 'run');
  alice = await fixture.connect('run-1');
});
afterAll(() => fixture.stop());
beforeEach(() => {
  fixture.broker.calls.length = 0;
});

describe(`${verifies('2.1', '2.2', '2.3', '2.4', '3.1', '3.2', '1.9')}the tools of the agent surface`, () => {
  it.each([
    changing({
      tool: 'ask',
      args: {
        question: 'ship it?',
        options: ['yes', 'no'],
        multi: true,
        ttl_seconds: 60,
        to: 'bob',
      },
      answer: { id: 'q3', note: 'bob is stopped' },
      text: /^Asked q3\..*Note: bob is stopped$/,
    }),
    changing({ tool: 'ask', args: { question: 'why?' }, answer: { id: 'q4' }, text: /Asked q4/ }),
    changing({
      tool: 'answer',
      args: { id: 'q3', answer: ['yes', 'no'] },
      answer: { id: 'q3', state: 'answered' },
      text: /^q3 is answered/,
    }),
    changing({
      tool: 'cancel_ask',
      args: { id: 'q3' },
      answer: { id: 'q3', state: 'cancelled' },
      text: /^q3 is cancelled\.$/,
    }),
    reading({
      tool: 'list_my_asks',
      args: {},
      answer: {
        asks: [
          { id: 'q3', target: 'bob', question: 'a\u202eb\nc', asked_at: AT },
          { id: 'q4', target: 'operator', question: 'd', asked_at: AT, deadline_at: AT },
        ],
      },
      text: /^q3 to bob, asked 2026.*: "a\\u202eb\\nc"\nq4 to operator, .*, expires 2026/,
    }),
    reading({ tool: 'list_my_asks', args: {}, answer: { asks: [] }, text: /^No question/ }),
    changing({
      tool: 'remind',
      args: {
        message: 'look',
        at: AT,
        every: 'PT1H',
        every_tz: 'Europe/Berlin',
        file_path: 'a/b.md',
      },
      answer: { id: 'r5', due_at: AT },
      text: /^Reminder r5 comes at 2026/,
    }),
    changing({
      tool: 'remind',
      args: { message: 'look', delay_seconds: 60 },
      answer: { id: 'r5', due_at: AT, note: 'noted' },
      text: /Note: noted$/,
    }),
    changing({
      tool: 'remind',
      args: { message: 'look', at: 1_800_000_000 },
      answer: { id: 'r5', due_at: AT },
      text: /r5/,
    }),
    reading({
      tool: 'list_my_reminders',
      args: {},
      answer: {
        reminders: [
          { id: 'r5', message: 'x', due_at: AT, every: 'PT1H', state: 'pending', attempt_count: 0 },
          {
            id: 'r6',
            message: 'y',
            due_at: AT,
            state: 'failed',
            attempt_count: 5,
            last_error: 'no',
          },
        ],
      },
      text: /^r5 pending, due 2026.*, every "PT1H": "x"\nr6 failed \("no"\), due/,
    }),
    changing({
      tool: 'cancel_reminder',
      args: { id: 'r5' },
      answer: { id: 'r5', state: 'cancelled' },
      text: /^r5 is cancelled\.$/,
    }),
    reading({
      tool: 'search_messages',
      args: { query: 'beacon' },
      params: { query: 'beacon', limit: 20 },
      answer: { messages: [] },
      text: /^No message/,
    }),
    reading({
      tool: 'get_open_threads',
      args: {},
      answer: {
        threads: [
          {
            kind: 'question',
            id: 'q3',
            asker: 'bob',
            target: null,
            question: 'ok?',
            options: [],
            multi: false,
            age_seconds: 600,
          },
          {
            kind: 'reminder',
            id: 'r5',
            owner: 'alice',
            message: 'x',
            due_at: AT,
            age_seconds: 3,
          },
          {
            kind: 'message',
            id: 'm2',
            from: 'bob',
            to: 'alice',
            state: 'queued',
            thread_id: 'm1',
            body: 'hi\nthere',
            age_seconds: 2,
          },
          {
            kind: 'approval',
            id: 'a1',
            agent: 'bob',
            commit_ref: 'abcdef0',
            description: 'new tool',
            age_seconds: 1,
          },
        ],
      },
      text: /^question q3, 10 min old, bob asks operator: "ok\?"\nreminder r5.*\nmessage m2, 2 s old, from bob to alice, queued: "hi\\nthere"\napproval a1/,
    }),
    reading({
      tool: 'get_open_threads',
      args: { scope: 'mine' },
      answer: {
        threads: [
          { kind: 'reminder', id: 'r1', owner: 'a', message: 'x', due_at: AT, age_seconds: 0 },
        ],
        truncated: true,
      },
      text: /^reminder r1.*\nThere is more/,
    }),
    reading({
      tool: 'get_open_threads',
      args: { scope: 'hive' },
      answer: { threads: [] },
      text: /^Nothing is open\.$/,
    }),
  ])(
    '$tool passes $args on and gives the answer back',
    async ({ tool, args, params, answer, text }) => {
      fixture.broker.on(tool, () => answer);
      const result = await alice.call(tool, args);
      expect(textOf(result)).toMatch(text);
      expect(result.isError).toBeUndefined();
      expect(result.structuredContent).toEqual(answer);
      expect(fixture.broker.of(tool)).toEqual([params]);
    },
  );

  it('give a refusal of the broker back as one', async () => {
    fixture.broker.on('answer', () => {
      throw new HiveError('conflict', 'q3 was answered before');
    });
    const result = await alice.call('answer', { id: 'q3', answer: 'yes' });
    expect(codeOf(result)).toBe('conflict');
    expect(textOf(result)).toContain('q3 was answered before');
  });

  it('hand out 32 reminders of 64 KiB whole, in the data and in the text', async () => {
    const body = 'ü'.repeat(LIMITS.reminder_bytes / 2);
    const messages = Array.from({ length: LIMITS.recv_batch }, (_, n): Message => ({
      id: `m${n + 1}`,
      thread_id: `m${n + 1}`,
      from: 'reminder',
      from_kind: 'system',
      to: 'alice',
      body,
      sent_at: AT,
      age_seconds: 1,
      priority: 'normal',
      broadcast: false,
      redelivered: false,
      attempt: 1,
      hop: 0,
      kind: 'reminder',
      reminder: {
        id: `r${n + 1}`,
        occurrence: 1,
        due_at: AT,
        late_seconds: 0,
        missed: 0,
        file_path: `reminders/r${n + 1}.md`,
      },
    }));
    fixture.broker.on('recv', () => ({ messages, pending: 0 }));
    const result = await alice.call('recv_batch', { max: LIMITS.recv_batch });
    expect(result.structuredContent).toMatchObject({ messages, pending: 0 });
    expect(textOf(result).split(body)).toHaveLength(LIMITS.recv_batch + 1);
    expect(textOf(result)).toContain('file "reminders/r32.md" in your state folder');
  });

  it('name the recipients of a broadcast only where they are few', async () => {
    const recipients = Array.from({ length: 1000 }, (_, n) => `agent-${n}`);
    fixture.broker.on('send', () => ({ id: 'm1', thread_id: 'm1', recipients }));
    const result = await alice.call('send', { to: '*', body: 'all' });
    expect(textOf(result)).toBe('Sent m1 to 1000 agents (thread m1).');
    expect(result.structuredContent).toMatchObject({ recipients });
  });
});
