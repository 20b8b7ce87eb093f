import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { HiveError, isoTime, LIMITS } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { reminderCalls } from '../testing/reminder-calls.js';
import { refusal, settled, Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';

let swarm: Swarm;
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

const { remind, list, cancel, row, counts } = reminderCalls(() => swarm);
const messageOf = async (check: Promise<unknown>) => {
  try {
    await check;
    return undefined;
  } catch (error) {
    if (error instanceof HiveError) return error.message;
    throw error;
  }
};

describe(verifies('3.1', 'P22') + 'a reminder', () => {
  it('reaches its owner when it is due, from "reminder", and wakes it', async () => {
    swarm = await Swarm.open(['alice']);
    await swarm.hello('alice');
    const { id, due_at } = await remind('alice', { delay_seconds: 90 });
    expect(due_at).toBe(isoTime(swarm.clock.now() + 90_000));
    await swarm.pass(89);
    expect((await swarm.poll('alice')).turn).toBeNull();
    await swarm.pass(1);
    const turn = await swarm.turn('alice');
    expect(turn.wake_reason).toBe('reminder');
    expect(turn.messages[0]).toMatchObject({
      from: 'reminder',
      from_kind: 'system',
      kind: 'reminder',
      to: 'alice',
      priority: 'normal',
      body: 'do it',
      reminder: { id, occurrence: 1, due_at, late_seconds: 0, missed: 0 },
    });
    expect(row(id).state).toBe('delivered');
  });

  it('is made once, however often the request is repeated', async () => {
    swarm = await Swarm.open(['alice']);
    const request = swarm.broker.requestId();
    const first = await remind('alice', { delay_seconds: 90 }, request);
    await swarm.pass(5);
    expect(await remind('alice', { delay_seconds: 90 }, request)).toEqual(first);
    expect(await list('alice')).toHaveLength(1);
  });

  it('keeps the hop of the turn that made it', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.hello('bob');
    await swarm.hello('alice');
    await swarm.operatorSends('alice', 'start');
    await swarm.send(await swarm.turn('alice'), 'bob', 'go');
    const turn = await swarm.turn('bob');
    expect(turn.hop).toBe(1);
    const { id } = await remind(turn, { delay_seconds: 1 });
    await swarm.end(turn);
    expect(row(id).hop).toBe(1);
    await swarm.pass(1);
    expect((await swarm.turn('bob')).messages[0]?.hop).toBe(1);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['an empty text', { message: '' }, 'invalid_request'],
    ['a NUL', { message: 'a\0b' }, 'invalid_request'],
    ['a lone surrogate', { message: 'a\ud800' }, 'invalid_request'],
    ['a number as text', { message: 7 }, 'invalid_request'],
    ['too much', { message: 'ü'.repeat(LIMITS.reminder_bytes / 2 + 1) }, 'body_too_long'],
    ['no time', { delay_seconds: undefined }, 'invalid_request'],
    ['both times', { at: '2026-02-01T00:00:00Z' }, 'invalid_request'],
    ['a delay of text', { delay_seconds: '5' }, 'invalid_request'],
    ['a fraction of a second', { delay_seconds: 0.5 }, 'invalid_request'],
    ['a list as time', { delay_seconds: undefined, at: [] }, 'invalid_request'],
    ['a past time', { delay_seconds: undefined, at: '2020-01-01T00:00:00Z' }, 'invalid_request'],
    ['a cron expression of seconds', { every: '* * * * * *' }, 'invalid_request'],
    ['a period that is too short', { every: 'PT30S' }, 'invalid_request'],
    ['a zone for a duration', { every: 'P1D', every_tz: 'UTC' }, 'invalid_request'],
    ['an unknown zone', { every: '0 9 * * *', every_tz: 'Nowhere' }, 'invalid_request'],
    ['an absolute path', { file_path: '/etc/x' }, 'invalid_request'],
    ['a path that climbs', { file_path: 'a/../../x' }, 'invalid_request'],
    ['a path with NUL', { file_path: 'a\0' }, 'invalid_request'],
    ['an unknown field', { evry: 'P1D' }, 'unknown_field'],
  ])('is refused with %s, and nothing is stored', async (_what, params, code) => {
    swarm = await Swarm.open(['alice']);
    expect(await refusal(remind('alice', { delay_seconds: 5, ...params }))).toBe(code);
    expect(await list('alice')).toEqual([]);
  });

  it('keeps every other character byte for byte', async () => {
    swarm = await Swarm.open(['alice']);
    const message = 'a\u202eb\u200f\r\n\t\u0007 𝄞';
    await remind('alice', { message, delay_seconds: 1 });
    await swarm.pass(1);
    expect((await swarm.recv('alice')).messages[0]?.body).toBe(message);
  });
});

describe(verifies('P23') + 'a long reminder', () => {
  it('carries the path of its file beside the whole body', async () => {
    swarm = await Swarm.open(['alice']);
    const message = 'x'.repeat(LIMITS.body_bytes + 1);
    const long = await remind('alice', { message, delay_seconds: 1 });
    expect(long.note).toContain(`reminders/${long.id}.md`);
    const named = await remind('alice', { delay_seconds: 1, file_path: 'notes/a.md' });
    const short = await remind('alice', {
      delay_seconds: 1,
      message: 'x'.repeat(LIMITS.body_bytes),
    });
    expect(short.note).toBeUndefined();
    await swarm.pass(1);
    const { messages } = await swarm.recv('alice', { max: 3 });
    expect(
      messages.map(({ reminder, body }) => [reminder?.id, reminder?.file_path, body.length]),
    ).toEqual([
      [long.id, `reminders/${long.id}.md`, LIMITS.body_bytes + 1],
      [named.id, 'notes/a.md', 5],
      [short.id, undefined, LIMITS.body_bytes],
    ]);
  });
});

describe(verifies('3.2') + 'an agent', () => {
  it('lists its own reminders, and cancels none but them', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const { id, due_at } = await remind('alice', { delay_seconds: 60, every: 'PT5M' });
    expect(await list('bob')).toEqual([]);
    expect(await list('alice')).toEqual([
      { id, message: 'do it', due_at, every: 'PT5M', state: 'pending', attempt_count: 0 },
    ]);
    const foreign = await messageOf(cancel('bob', id));
    expect(await refusal(cancel('bob', id))).toBe('not_found');
    for (const unknown of ['r999', 'm1', 'r0', 'nonsense', '\0', ''])
      expect(await messageOf(cancel('bob', unknown))).toBe(foreign);
    expect(await cancel('alice', id)).toEqual({ id, state: 'cancelled' });
    expect(await cancel('alice', id)).toEqual({ id, state: 'cancelled' });
    expect(await list('alice')).toEqual([]);
    await swarm.pass(400);
    expect((await swarm.recv('alice')).messages).toEqual([]);
  });
});

describe(verifies('3.3') + 'the limits of reminders', () => {
  it('bound how many wait; the refusal says when a slot frees', async () => {
    swarm = await Swarm.open([['alice', { reminders_pending: 2 }], 'bob']);
    await remind('alice', { delay_seconds: 60 });
    const { id, due_at } = await remind('alice', { delay_seconds: 30 });
    const refused = await messageOf(remind('alice', { delay_seconds: 5 }));
    expect(refused).toContain('2 reminders waiting, the limit');
    expect(refused).toContain(due_at);
    expect(await refusal(remind('alice', { delay_seconds: 5 }))).toBe('rate_limited');
    await remind('bob', { delay_seconds: 5 });
    await cancel('alice', id);
    await remind('alice', { delay_seconds: 5 });
    await swarm.pass(5);
    await remind('alice', { delay_seconds: 5 });
  });

  it('bound how fast they are made, with a burst that starts full', async () => {
    swarm = await Swarm.open([['alice', { reminders_per_hour: 60, reminder_burst: 3 }]]);
    for (let n = 0; n < 3; n += 1) await remind('alice', { delay_seconds: 3600 });
    expect(await refusal(remind('alice', { message: '' }))).toBe('invalid_request');
    const refused = await messageOf(remind('alice', { delay_seconds: 3600 }));
    expect(refused).toContain('60 reminders an hour and 3 at once');
    expect(refused).toContain('a slot frees in 60 seconds');
    await swarm.pass(59);
    expect(await refusal(remind('alice', { delay_seconds: 3600 }))).toBe('rate_limited');
    await swarm.pass(1);
    await remind('alice', { delay_seconds: 3600 });
    expect(await refusal(remind('alice', { delay_seconds: 3600 }))).toBe('rate_limited');
  });
});

describe(verifies('3.7') + 'the operator', () => {
  it('lists reminders by agent and state, retries failed ones only, and cancels', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    for (const agent of ['alice', 'bob', 'alice', 'alice'])
      await remind(agent, { delay_seconds: 60 });
    await cancel('alice', 'r3');
    const page = async (params: object) =>
      swarm.broker.dashboard.reminders(params, swarm.context());
    const ids = async (params: object) => (await page(params)).reminders.map(({ id }) => id);
    expect(await ids({})).toEqual(['r4', 'r3', 'r2', 'r1']);
    expect(await ids({ agent: 'alice' })).toEqual(['r4', 'r3', 'r1']);
    expect(await ids({ agent: 'alice', state: 'pending' })).toEqual(['r4', 'r1']);
    const first = await page({ agent: 'alice', limit: 2 });
    expect(first.next).toBe('r3');
    expect(await ids({ agent: 'alice', limit: 2, before: first.next })).toEqual(['r1']);
    expect((await page({ agent: 'alice', before: 'r2' })).next).toBeUndefined();
    const operator = swarm.broker.dashboard;
    expect(
      await refusal(
        Promise.resolve().then(() => operator.retry_reminder({ id: 'r1' }, swarm.context())),
      ),
    ).toBe('conflict');
    expect((await operator.cancel_reminder({ id: 'r1' }, swarm.context())).reminder).toMatchObject({
      id: 'r1',
      state: 'cancelled',
      owner: 'alice',
    });
    expect(
      await refusal(
        Promise.resolve().then(() => operator.cancel_reminder({ id: 'r1' }, swarm.context())),
      ),
    ).toBe('conflict');
    expect(
      await refusal(
        Promise.resolve().then(() => operator.cancel_reminder({ id: 'r99' }, swarm.context())),
      ),
    ).toBe('not_found');
    for (const bad of [
      { agent: 'Nobody!' },
      { state: 'open' },
      { limit: 0 },
      { before: 'm1' },
      { x: 1 },
    ])
      expect(await refusal(page(bad))).toMatch(/invalid_request|unknown_field/);
    expect(await refusal(page({ agent: 'nobody' }))).toBe('not_found');
  });

  it('sees the counts of the last 24 hours, after a restart too', async () => {
    swarm = await Swarm.open(['alice']);
    await remind('alice', { delay_seconds: 1 });
    await remind('alice', { delay_seconds: 100_000 });
    await swarm.pass(1);
    expect(await counts('alice')).toEqual({ pending: 1, delivered_24h: 1, failed: 0 });
    await swarm.broker.close();
    await swarm.reopen();
    expect(await counts('alice')).toEqual({ pending: 1, delivered_24h: 1, failed: 0 });
    swarm.clock.jump(86_400_000 + 60_000);
    expect(await counts('alice')).toEqual({ pending: 1, delivered_24h: 0, failed: 0 });
    await settled();
  });
});
