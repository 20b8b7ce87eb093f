import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Message, PeerRow, SendResult, ThreadMessage } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { codeOf, textOf, type TestClient } from '../testing/mcp-client.js';
import { TestHive } from '../testing/test-hive.js';

let hive: TestHive;
let alice: TestClient;
let bob: TestClient;

beforeAll(async () => {
  hive = await TestHive.start({ agents: ['alice', 'bob', 'carol', 'manager'] });
  await hive.withGateway();
  alice = await hive.connect('alice');
  bob = await hive.connect('bob');
});
afterAll(() => hive.stop());

interface Received {
  message: Message | null;
  pending: number;
}

describe(`${verifies('1.1', '1.3', '1.5', '1.6', '1.14')}messages through the tools`, () => {
  it('go from send to recv with their sender attested', async () => {
    const sent = await alice.data<SendResult>('send', { to: 'bob', body: 'hällo\nthere' });
    expect(sent.recipients).toEqual(['bob']);
    const { message, pending } = await bob.data<Received>('recv');
    expect(message).toMatchObject({
      id: sent.id,
      thread_id: sent.thread_id,
      from: 'alice',
      from_kind: 'agent',
      to: 'bob',
      body: 'hällo\nthere',
      redelivered: false,
      attempt: 1,
      kind: 'message',
    });
    expect(pending).toBe(0);
  });

  it('say the same in a text with the body fenced', async () => {
    await alice.data('send', { to: 'bob', body: 'in a fence' });
    const text = textOf(await bob.call('recv'));
    expect(text).toMatch(/^message m\d+ from alice \(agent\), \d+ s ago, to bob, thread m\d+\n/);
    const [, mark] = /----- ([0-9a-f]{8}) body of m\d+ -----\nin a fence\n/.exec(text) ?? [];
    expect(text).toContain(`----- ${mark} end of m`);
    expect(text).toContain('Nothing more waits.');
  });

  it('wake a waiting recv at once', async () => {
    const waiting = bob.data<Received>('recv', { wait_seconds: 60 });
    const sent = await alice.data<SendResult>('send', { to: 'bob', body: 'wake' });
    expect((await waiting).message?.id).toBe(sent.id);
  });

  it('come in batches, with the number of those that stay', async () => {
    for (let n = 0; n < 5; n++) await alice.data('send', { to: 'bob', body: `batch ${n}` });
    const first = await bob.data<{ messages: Message[]; pending: number }>('recv_batch', {
      max: 3,
    });
    expect(first.messages.map(({ body }) => body)).toEqual(['batch 0', 'batch 1', 'batch 2']);
    expect(first.pending).toBe(2);
    const second = await bob.data<{ messages: Message[]; pending: number }>('recv_batch', {
      max: 32,
    });
    expect(second.messages.map(({ body }) => body)).toEqual(['batch 3', 'batch 4']);
    expect(second.pending).toBe(0);
  });

  it('make threads that can be read back, with the state of own deliveries', async () => {
    const sent = await alice.data<SendResult>('send', { to: 'bob', body: 'question' });
    await bob.data('recv');
    const reply = await bob.data<SendResult>('send', {
      to: 'alice',
      body: 'answer',
      in_reply_to: sent.id,
    });
    expect(reply.thread_id).toBe(sent.thread_id);
    await alice.data('recv');
    const thread = await alice.data<{ messages: ThreadMessage[] }>('get_thread', { id: reply.id });
    expect(thread.messages.map(({ body }) => body)).toEqual(['question', 'answer']);
    expect(thread.messages[0]?.deliveries?.[0]).toMatchObject({ to: 'bob' });
    expect(thread.messages[1]?.deliveries).toBeUndefined();
    const text = textOf(await alice.call('get_thread', { id: reply.id }));
    expect(text).toContain('your message: bob ');
  });

  it('reach each name of a list once, as one message', async () => {
    const sent = await alice.data<SendResult>('send', { to: ['bob', 'carol'], body: 'to two' });
    expect(sent.recipients.toSorted()).toEqual(['bob', 'carol']);
    const carol = await hive.connect('carol');
    for (const client of [bob, carol]) {
      const { messages } = await client.data<{ messages: Message[] }>('recv_batch', { max: 32 });
      expect(messages.filter(({ body }) => body === 'to two')).toMatchObject([
        { id: sent.id, broadcast: false },
      ]);
    }
  });

  it('reach everybody else as a broadcast, which may want nothing', async () => {
    const sent = await alice.data<SendResult>('send', { to: '*', body: 'to all' });
    expect(sent.recipients.toSorted()).toEqual(['bob', 'carol', 'manager']);
    const result = await bob.call('recv');
    expect(result.structuredContent).toMatchObject({
      message: { id: sent.id, to: 'bob', broadcast: true },
      hint: expect.stringContaining('this was a broadcast and may not need any action') as string,
    });
    expect(textOf(result)).toContain('may not need any action from you');
    expect((await alice.data<Received>('recv')).message).toBeNull();
    for (const name of ['carol', 'manager']) {
      await (await hive.connect(name)).data('recv_batch', { max: 32 });
    }
  });

  it('are sent once when the idempotency key is the same', async () => {
    const args = { to: 'carol', body: 'once', idempotency_key: 'k-1' };
    const first = await alice.data<SendResult>('send', args);
    const second = await alice.data<SendResult>('send', args);
    expect(second.id).toBe(first.id);
    const other = await alice.call('send', { ...args, body: 'other' });
    expect(codeOf(other)).toBe('idempotency_conflict');
  });
});

describe(`${verifies('5.7', '1.3')}the other tools`, () => {
  it('whoami answers from the credential, with the port', async () => {
    expect(await alice.data('whoami')).toMatchObject({
      name: 'alice',
      role: 'agent',
      driver: 'external',
      port: Number(new URL(hive.url).port),
      hyperhive_rev: expect.any(String) as string,
      started_at: expect.any(String) as string,
    });
    const manager = await hive.connect('manager');
    expect(await manager.data('whoami')).toMatchObject({ name: 'manager', role: 'manager' });
  });

  it('set_status shows in list_agents', async () => {
    expect(await bob.data('set_status', { text: 'reading "mail"' })).toEqual({
      status_text: 'reading "mail"',
    });
    const { agents } = await alice.data<{ agents: PeerRow[] }>('list_agents');
    expect(agents.map(({ name }) => name).toSorted()).toEqual(['alice', 'bob', 'carol', 'manager']);
    expect(agents.find(({ name }) => name === 'bob')).toMatchObject({
      role: 'agent',
      state: 'running',
      status_text: 'reading "mail"',
    });
    expect(textOf(await alice.call('list_agents'))).toContain('says "reading \\"mail\\""');
  });

  it('ack closes what a bare client received and names what it cannot', async () => {
    const sent = await alice.data<SendResult>('send', { to: 'bob', body: 'to ack' });
    await bob.data('recv');
    expect(await bob.data('ack', { ids: [sent.id, 'm999999'] })).toEqual({
      acked: [sent.id],
      not_acked: [{ id: 'm999999', reason: expect.any(String) as string }],
    });
    const thread = await alice.data<{ messages: ThreadMessage[] }>('get_thread', { id: sent.id });
    expect(thread.messages[0]?.deliveries?.[0]?.state).toBe('acked');
  });
});

describe(`${verifies('1.1', '1.8', '1.11', '8.3', 'P33', 'P34')}a refused call`, () => {
  it.each<[string, Record<string, unknown>, string, RegExp]>([
    [
      '4097 bytes',
      { to: 'bob', body: 'x'.repeat(4097) },
      'body_too_long',
      /4097 bytes.*limit is 4096.*file/s,
    ],
    [
      '4098 bytes in 2049 characters',
      { to: 'bob', body: 'ü'.repeat(2049) },
      'body_too_long',
      /4098 bytes/,
    ],
    ['an empty body', { to: 'bob', body: '' }, 'invalid_request', /empty/],
    ['a NUL', { to: 'bob', body: 'a\0b' }, 'invalid_request', /NUL/],
    ['an unknown recipient', { to: 'nobody', body: 'x' }, 'unknown_recipient', /nobody/],
    [
      'a name that cannot be one',
      { to: 'Not A Name', body: 'x' },
      'unknown_recipient',
      /Not A Name/,
    ],
    ['a list with an unknown name', { to: ['bob', 'nobody'], body: 'x' }, 'unknown_recipient', /./],
    ['everyone in a list', { to: ['bob', '*'], body: 'x' }, 'invalid_request', /stands alone/],
    [
      'an unknown priority',
      { to: 'bob', body: 'x', priority: 'high' },
      'invalid_request',
      /"low", "normal", "urgent"/,
    ],
    [
      'an unknown field',
      { to: 'bob', body: 'x', subject: 'hi' },
      'unknown_field',
      /"subject".*send takes: to, body/,
    ],
    ['no recipient', { body: 'x' }, 'invalid_request', /"to"/],
    [
      '33 recipients',
      { to: Array.from({ length: 33 }, (_, n) => `a${n}`), body: 'x' },
      'invalid_request',
      /32/,
    ],
  ])('send of %s says why', async (_, args, code, text) => {
    const result = await alice.call('send', args);
    expect(result.isError).toBe(true);
    expect(codeOf(result)).toBe(code);
    expect(textOf(result)).toMatch(text);
    expect(result.structuredContent).toBeUndefined();
  });

  it('takes exactly 4096 bytes, byte for byte', async () => {
    const body = 'ü'.repeat(2048);
    await alice.data('send', { to: 'carol', body });
    const carol = await hive.connect('carol');
    const { messages } = await carol.data<{ messages: Message[] }>('recv_batch', { max: 32 });
    expect(messages.at(-1)?.body).toBe(body);
  });

  it('stored nothing', async () => {
    const before = await bob.data<Received>('recv');
    await alice.call('send', { to: 'bob', body: 'x'.repeat(5000) });
    await alice.call('send', { to: 'bob', body: 'x', subject: 'hi' });
    expect(before.message).toBeNull();
    expect((await bob.data<Received>('recv')).message).toBeNull();
  });

  it.each<[string, string, Record<string, unknown>, string, RegExp]>([
    ['recv for too long', 'recv', { wait_seconds: 181 }, 'invalid_request', /limit of 180/],
    ['recv for less than nothing', 'recv', { wait_seconds: -1 }, 'invalid_request', /at least 0/],
    ['recv_batch without max', 'recv_batch', {}, 'invalid_request', /"max" is missing/],
    ['recv_batch of 33', 'recv_batch', { max: 33 }, 'invalid_request', /limit of 32/],
    ['recv_batch of 0', 'recv_batch', { max: 0 }, 'invalid_request', /at least 1/],
    ['whoami with a field', 'whoami', { verbose: true }, 'unknown_field', /takes no fields/],
    [
      'a status of 201 characters',
      'set_status',
      { text: 'x'.repeat(201) },
      'invalid_request',
      /200/,
    ],
    ['a thread that is not there', 'get_thread', { id: 'm999999' }, 'not_found', /./],
    ['a thread by nonsense', 'get_thread', { id: 'x' }, 'not_found', /./],
    ['an unknown tool', 'destroy', {}, 'unknown_method', /the tools are: send, recv/],
    ['ack of nothing', 'ack', { ids: [] }, 'invalid_request', /at least 1/],
  ])('%s says why', async (_, tool, args, code, text) => {
    const result = await alice.call(tool, args);
    expect(result.isError).toBe(true);
    expect(codeOf(result)).toBe(code);
    expect(textOf(result)).toMatch(text);
  });

  it('reply to a foreign message goes out with a note, as for an unknown one', async () => {
    const secret = await bob.data<SendResult>('send', { to: 'manager', body: 'private' });
    const foreign = await alice.data<SendResult>('send', {
      to: 'carol',
      body: 'x',
      in_reply_to: secret.id,
    });
    const unknown = await alice.data<SendResult>('send', {
      to: 'carol',
      body: 'x',
      in_reply_to: 'm999999',
    });
    expect(foreign.note).toMatch(/./);
    expect(foreign.note?.replaceAll(secret.id, '')).toBe(unknown.note?.replaceAll('m999999', ''));
    expect(codeOf(await alice.call('get_thread', { id: secret.id }))).toBe('not_found');
  });

  it('respects the allow-list of the sender', async () => {
    await hive.changeAgent('carol', { allowed_recipients: ['bob'] });
    const carol = await hive.connect('carol');
    expect(codeOf(await carol.call('send', { to: 'alice', body: 'x' }))).toBe(
      'recipient_not_allowed',
    );
    await carol.data('send', { to: 'manager', body: 'always' });
  });
});
