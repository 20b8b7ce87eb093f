import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { newRequestId } from '#libs/ipc';
import { HiveError, LIMITS } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { refusal, Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';
import { IGNORED_REPLY } from './outgoing.service.js';

let swarm: Swarm;
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

/** Messages that are stored. */
function stored(): number {
  return swarm.broker.app
    .get(ThreadsDb)
    .db.prepare('SELECT count(*) FROM messages')
    .pluck()
    .get() as number;
}

async function errorOf(call: Promise<unknown>): Promise<HiveError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof HiveError) return error;
  }
  throw new Error('the call was not refused');
}

describe(verifies('1.1') + 'a body', () => {
  it('may have 4096 bytes of UTF-8, not characters, and is kept byte for byte', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const body = `${'ü'.repeat(2047)}\r\n`;
    const { id } = await swarm.send('alice', 'bob', body);
    expect(swarm.message(id).body).toBe(body);
    const error = await errorOf(swarm.send('alice', 'bob', `${body}!`));
    expect(error.code).toBe('body_too_long');
    expect(error.message).toContain('4096');
    expect(error.message).toContain('file');
    expect(stored()).toBe(1);
  });

  it.each([
    ['empty', ''],
    ['with a NUL', 'a\0b'],
    ['with half a surrogate pair', '\ud800'],
  ])('%s is refused and not stored', async (_what, body) => {
    swarm = await Swarm.open(['alice', 'bob']);
    expect(await refusal(swarm.send('alice', 'bob', body))).toBe('invalid_request');
    expect(stored()).toBe(0);
  });
});

describe(verifies('1.11', '1.8') + 'a recipient', () => {
  it.each([
    ['nobody', 'unknown_recipient'],
    ['system', 'unknown_recipient'],
    ['self', 'unknown_recipient'],
    [['bob', 'system'], 'unknown_recipient'],
  ])('%j is refused as %s', async (to, code) => {
    swarm = await Swarm.open(['alice', 'bob']);
    expect(await refusal(swarm.send('alice', to, 'hi'))).toBe(code);
    expect(stored()).toBe(0);
  });

  it('that was destroyed is refused, and says so', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.putAgent('bob', { state: 'destroyed' });
    const error = await errorOf(swarm.send('alice', 'bob', 'hi'));
    expect([error.code, error.message]).toEqual([
      'unknown_recipient',
      expect.stringContaining('destroyed'),
    ]);
  });

  it('that is stopped gets its message when it runs again', async () => {
    swarm = await Swarm.open(['alice', ['bob', { state: 'stopped' }]]);
    const { id } = await swarm.send('alice', 'bob', 'hi');
    await swarm.putAgent('bob', { state: 'running' });
    await swarm.hello('bob');
    expect((await swarm.turn('bob')).messages).toMatchObject([{ id }]);
  });

  it('outside the allow-list is refused; the manager is always reachable, the operator when listed', async () => {
    const listed = { allowed_recipients: ['bob'] };
    swarm = await Swarm.open([['alice', listed], 'bob', 'carol', 'manager']);
    await expect(swarm.send('alice', 'bob', 'hi')).resolves.toBeDefined();
    await expect(swarm.send('alice', 'manager', 'hi')).resolves.toBeDefined();
    expect(await refusal(swarm.send('alice', 'carol', 'hi'))).toBe('recipient_not_allowed');
    expect(await refusal(swarm.send('alice', 'operator', 'hi'))).toBe('recipient_not_allowed');
    await swarm.putAgent('alice', { allowed_recipients: ['bob', 'operator'] });
    await expect(swarm.send('alice', 'operator', 'hi')).resolves.toBeDefined();
  });
});

describe(verifies('P19', '1.11') + 'the inbox limit', () => {
  const small = { inbox_limit: 8 };

  it('binds peers, each to a quarter, and never the operator (EXECUTIONS H21)', async () => {
    swarm = await Swarm.open([['bob', small], 'a', 'b', 'c', 'd', 'e']);
    for (const sender of ['a', 'b', 'c', 'd']) {
      await swarm.send(sender, 'bob', '1');
      await swarm.send(sender, 'bob', '2');
    }
    const share = await errorOf(swarm.send('a', 'bob', '3'));
    expect([share.code, share.details]).toEqual(['inbox_full', { queued: 8, limit: 8 }]);
    expect(await refusal(swarm.send('e', 'bob', '1'))).toBe('inbox_full');
    await expect(swarm.operatorSends('bob', 'still')).resolves.toBeDefined();
    await swarm.recv('bob', { max: 1 });
    await swarm.recv('bob', { max: 2 });
    await expect(swarm.send('e', 'bob', '1')).resolves.toBeDefined();
  });

  it('lets one sender have a quarter of it', async () => {
    swarm = await Swarm.open([['bob', small], 'a', 'b']);
    await swarm.send('a', 'bob', '1');
    await swarm.send('a', 'bob', '2');
    const error = await errorOf(swarm.send('a', 'bob', '3'));
    expect([error.code, error.details]).toEqual(['inbox_full', { queued: 2, limit: 2 }]);
    await expect(swarm.send('b', 'bob', '1')).resolves.toBeDefined();
  });

  it('keeps low messages apart: they fill their own share only', async () => {
    swarm = await Swarm.open([['bob', small], 'a', 'b']);
    await swarm.send('a', 'bob', 'low', { priority: 'low' });
    expect(await refusal(swarm.send('a', 'bob', 'low too', { priority: 'low' }))).toBe(
      'inbox_full',
    );
    await swarm.send('a', 'bob', '1');
    await expect(swarm.send('a', 'bob', '2')).resolves.toBeDefined();
  });

  it('does not count what waits for the operator', async () => {
    swarm = await Swarm.open(['alice']);
    for (let n = 0; n < 300; n += 1) await swarm.send('alice', 'operator', `${n}`);
    expect(stored()).toBe(300);
  });
});

describe(verifies('P11', '1.12') + 'a repeated send', () => {
  it('with the same request id is answered the same, over a crash too (EXECUTIONS H12)', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const request_id = swarm.broker.requestId();
    const first = await swarm.send('alice', 'bob', 'hi', { request_id });
    swarm.crash();
    await swarm.reopen();
    expect(await swarm.send('alice', 'bob', 'hi', { request_id })).toEqual(first);
    expect(stored()).toBe(1);
  });

  it('with an id that is too old is refused, also when its row is gone and the clock went back', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const request_id = swarm.broker.requestId();
    await swarm.send('alice', 'bob', 'hi', { request_id });
    swarm.clock.advance(LIMITS.request_id_seconds * 1000 + 1000);
    const old = newRequestId(swarm.clock.now() - LIMITS.request_id_seconds * 1000 - 1000);
    expect(await refusal(swarm.send('alice', 'bob', 'x', { request_id: old }))).toBe(
      'request_expired',
    );
    swarm.clock.jump(3 * LIMITS.request_id_seconds * 1000);
    await swarm.pass(61);
    swarm.clock.jump(-4 * LIMITS.request_id_seconds * 1000);
    const rows = swarm.broker.app.get(ThreadsDb).db.prepare('SELECT 1 FROM requests').all();
    expect(rows).toEqual([]);
    expect(await refusal(swarm.send('alice', 'bob', 'hi', { request_id }))).toBe('request_expired');
    expect(stored()).toBe(1);
  });

  it('with an id that another used is refused', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const request_id = swarm.broker.requestId();
    await swarm.send('alice', 'bob', 'hi', { request_id });
    expect(await refusal(swarm.send('bob', 'alice', 'hi', { request_id }))).toBe('conflict');
  });

  it('without confirmation of the first is taken for a retry, once (EXECUTIONS H13)', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const first = await swarm.send('alice', 'bob', 'hi');
    const second = await swarm.send('alice', 'bob', 'hi');
    expect(second).toEqual({
      ...first,
      note: expect.stringContaining(`already sent as ${first.id}`),
    });
    const third = await swarm.send('alice', 'bob', 'hi');
    expect(third.id).not.toBe(first.id);
    expect(third.note).toBeUndefined();
  });

  it('is remembered as unconfirmed over a crash', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const first = await swarm.send('alice', 'bob', 'hi');
    swarm.crash();
    await swarm.reopen();
    expect((await swarm.send('alice', 'bob', 'hi')).id).toBe(first.id);
    swarm.crash();
    await swarm.reopen();
    expect((await swarm.send('alice', 'bob', 'hi')).id).not.toBe(first.id);
  });

  it.each([
    ['another body', 'bob', 'ho', {}],
    ['another recipient', 'carol', 'hi', {}],
    ['another priority', 'bob', 'hi', { priority: 'urgent' as const }],
    ['a key', 'bob', 'hi', { idempotency_key: 'k' }],
  ])('with %s is a message of its own', async (_what, to, body, options) => {
    swarm = await Swarm.open(['alice', 'bob', 'carol']);
    const first = await swarm.send('alice', 'bob', 'hi');
    expect((await swarm.send('alice', to, body, options)).id).not.toBe(first.id);
  });

  it('is a message of its own once the first was confirmed, ten minutes passed, or both are under way', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const request_id = swarm.broker.requestId();
    await swarm.send('alice', 'bob', 'confirmed', { request_id });
    await swarm.written(request_id);
    await swarm.send('alice', 'bob', 'confirmed');
    expect(stored()).toBe(2);
    await swarm.send('alice', 'bob', 'old');
    swarm.clock.advance(LIMITS.unconfirmed_send_seconds * 1000 + 1000);
    await swarm.send('alice', 'bob', 'old');
    expect(stored()).toBe(4);
    await Promise.all([swarm.send('alice', 'bob', 'twice'), swarm.send('alice', 'bob', 'twice')]);
    expect(stored()).toBe(6);
  });

  it('is not lost when the retry itself is refused', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const first = await swarm.send('alice', 'bob', 'hi');
    const old = newRequestId(swarm.clock.now() - LIMITS.request_id_seconds * 1000 - 1000);
    expect(await refusal(swarm.send('alice', 'bob', 'hi', { request_id: old }))).toBe(
      'request_expired',
    );
    expect((await swarm.send('alice', 'bob', 'hi')).id).toBe(first.id);
  });

  it('with the same key returns the first result; other content with it is refused', async () => {
    swarm = await Swarm.open(['alice', 'bob', 'carol']);
    const key = { idempotency_key: 'k' };
    const first = await swarm.send('alice', 'bob', 'hi', key);
    expect(await swarm.send('alice', 'bob', 'hi', key)).toMatchObject({
      id: first.id,
      note: expect.stringContaining('already sent'),
    });
    expect(await refusal(swarm.send('alice', 'bob', 'ho', key))).toBe('idempotency_conflict');
    expect(await refusal(swarm.send('alice', 'carol', 'hi', key))).toBe('idempotency_conflict');
    await expect(swarm.send('carol', 'bob', 'hi', key)).resolves.not.toMatchObject({
      id: first.id,
    });
    swarm.clock.advance(LIMITS.idempotency_seconds * 1000);
    expect((await swarm.send('alice', 'bob', 'hi', key)).id).not.toBe(first.id);
  });

  it('within one group commit stands alone (EXECUTIONS H16)', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const key = { idempotency_key: 'k' };
    const outcomes = await Promise.allSettled([
      swarm.send('alice', 'bob', 'a', key),
      swarm.send('alice', 'bob', 'b', key),
      swarm.send('alice', 'nobody', 'c'),
      swarm.send('alice', 'bob', 'd'),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    expect(stored()).toBe(2);
  });
});

describe(verifies('P20', '1.13') + 'the hop count', () => {
  it('is one more than the highest of what the turn was given, and 0 from outside', async () => {
    swarm = await Swarm.open(['alice', 'bob', 'carol']);
    await swarm.hello('bob');
    const first = await swarm.send('alice', 'bob', '1');
    expect(swarm.message(first.id).hop).toBe(0);
    const turn = await swarm.turn('bob');
    const second = await swarm.send(turn, 'carol', '2');
    expect(swarm.message(second.id)).toMatchObject({ hop: 1, cause_message: 1 });
    await swarm.recv('carol');
    const third = await swarm.send('carol', 'bob', '3');
    expect(swarm.message(third.id).hop).toBe(2);
    await swarm.recv(turn);
    const fourth = await swarm.send(turn, 'carol', '4');
    expect(swarm.message(fourth.id).hop).toBe(3);
    await swarm.operatorSends('carol', 'mine');
    expect(swarm.message('m5').hop).toBe(0);
  });

  it('past the limit makes the delivery low, which the operator lets go on', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.hello('bob');
    await swarm.send('alice', 'bob', 'ping');
    let turn = await swarm.turn('bob');
    let last = '';
    for (let n = 0; n <= LIMITS.hops; n += 1) {
      last = (await swarm.send(turn, 'bob', `again ${n}`)).id;
      await swarm.end(turn);
      if (n < LIMITS.hops) turn = await swarm.turn('bob');
    }
    expect(swarm.message(last).hop).toBe(LIMITS.hops + 1);
    expect(swarm.delivery(last, 'bob')).toMatchObject({ priority: 2, reason: 'hop_limit' });
    expect((await swarm.poll('bob')).turn).toBeNull();
    await swarm.broker.dashboard.release({ agent: 'bob' }, swarm.context());
    const next = await swarm.turn('bob');
    expect(next).toMatchObject({ hop: 0, messages: [{ id: last, hop: 0 }] });
  });
});

describe(verifies('P34', '1.5') + 'a reply', () => {
  it('belongs to the thread of what it answers', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const first = await swarm.send('alice', 'bob', 'hi');
    await swarm.recv('bob');
    const reply = await swarm.send('bob', 'alice', 'ho', { in_reply_to: first.id });
    expect(reply).toEqual({ id: 'm2', thread_id: first.id, recipients: ['alice'] });
    await swarm.recv('alice');
    const third = await swarm.send('alice', 'bob', 'hm', { in_reply_to: reply.id });
    expect(third.thread_id).toBe(first.id);
  });

  it('to an unknown, foreign or unread message goes out as a new thread with the same sentence', async () => {
    swarm = await Swarm.open(['alice', 'bob', 'carol']);
    const foreign = await swarm.send('alice', 'bob', 'not for carol');
    const unread = await swarm.send('alice', 'carol', 'not read yet');
    for (const in_reply_to of ['m999', 'nonsense', foreign.id, unread.id]) {
      const sent = await swarm.send('carol', 'bob', `re ${in_reply_to}`, { in_reply_to });
      expect(sent).toMatchObject({ thread_id: sent.id, note: IGNORED_REPLY });
    }
  });

  it('of the operator may answer any message', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const first = await swarm.send('alice', 'bob', 'hi');
    const reply = await swarm.operatorSends('bob', 'I saw it', { in_reply_to: first.id });
    expect(reply).toMatchObject({ thread_id: first.id });
  });

  it('in a turn whose wake came back says that it may repeat (EXECUTIONS H14)', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.hello('bob');
    await swarm.send('alice', 'bob', 'hi');
    const turn = await swarm.turn('bob');
    await swarm.send(turn, 'alice', 'one');
    await swarm.hello('bob', 2);
    const again = await swarm.turn('bob', { instance: 2 });
    await swarm.send(again, 'alice', 'one, again');
    const { messages } = await swarm.recv('alice', { max: 5 });
    expect(messages.map((message) => message.may_repeat)).toEqual([undefined, true]);
  });
});
