import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { LIMITS, type RegistryAgent, type WantedJob } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { Writer } from '../storage/writer.service.js';
import { refusal, settled, Swarm, watch } from '../testing/swarm.js';
import { removeTestFolders, type TestBrokerOptions } from '../testing/test-broker.js';
import { LiveTurns } from '../turns/live-turns.js';

let swarm: Swarm;
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

const ext: Partial<RegistryAgent> = { driver: 'external' };

async function open(
  agents: readonly (string | [string, Partial<RegistryAgent>])[],
  options: TestBrokerOptions = {},
): Promise<void> {
  swarm = await Swarm.open(agents, options);
}

async function wanted(): Promise<WantedJob[]> {
  return (
    await swarm.broker.scheduler.wanted_jobs({ queue: 'broadcasts', limit: 1000 }, swarm.context())
  ).jobs;
}

/** Carries out the jobs as the scheduler does. */
async function deliver(jobs?: readonly WantedJob[]): Promise<string[]> {
  const data = (jobs ?? (await wanted())).flatMap((job) =>
    job.queue === 'broadcasts' ? [job.data] : [],
  );
  const { outcomes } = await swarm.broker.scheduler.deliver_chunks({ jobs: data }, swarm.context());
  return outcomes.map(({ outcome }) => outcome);
}

const bodies = async (agent: string) =>
  (await swarm.recv(agent, { max: 32 })).messages.map((message) => message.body);

/** Bodies of what was not handed out before. */
const fresh = async (agent: string) =>
  (await swarm.recv(agent, { max: 32 })).messages
    .filter((message) => !message.redelivered)
    .map((message) => message.body);

describe(verifies('1.1') + 'a list of recipients', () => {
  it('is one message with a delivery for each, names given twice counting once', async () => {
    await open(['alice', 'bob', 'carol']);
    const sent = await swarm.send('alice', ['bob', 'operator', 'bob', 'carol'], 'hi');
    expect(sent.recipients).toEqual(['bob', 'operator', 'carol']);
    for (const name of ['bob', 'operator', 'carol'])
      expect(swarm.delivery(sent.id, name)).toMatchObject({ state: 'queued', broadcast: 0 });
  });

  it('is all or nothing', async () => {
    await open(['alice', 'bob', ['carol', { inbox_limit: 1 }]]);
    await swarm.operatorSends('alice', 'x');
    await swarm.send('bob', 'carol', 'full now');
    expect(await refusal(swarm.send('alice', ['bob', 'carol'], 'hi'))).toBe('inbox_full');
    expect(await refusal(swarm.send('alice', ['bob', 'nobody'], 'hi'))).toBe('unknown_recipient');
    expect(await refusal(swarm.send('alice', ['bob', '*'], 'hi'))).toBe('invalid_request');
    expect(await refusal(swarm.send('alice', [], 'hi'))).toBe('invalid_request');
    expect(await bodies('bob')).toEqual([]);
  });

  it('obeys the allow-list, in which the operator must be named', async () => {
    await open([['alice', { allowed_recipients: ['bob'] }], 'bob', 'manager']);
    expect((await swarm.send('alice', ['bob', 'manager'], 'hi')).recipients).toHaveLength(2);
    expect(await refusal(swarm.send('alice', ['bob', 'operator'], 'hi'))).toBe(
      'recipient_not_allowed',
    );
  });
});

describe(verifies('1.6', 'P21') + 'a broadcast', () => {
  it('reaches every agent but its sender once, as one message, whatever runs how often', async () => {
    await open(['alice', 'bob', ['carol', { state: 'stopped' }], ['dave', ext]]);
    const sent = await swarm.send('alice', '*', 'all hands');
    expect(sent.recipients).toEqual(['bob', 'carol', 'dave']);
    const jobs = await wanted();
    expect(jobs).toHaveLength(1);
    expect(await deliver(jobs)).toEqual(['done']);
    expect(await deliver(jobs)).toEqual(['gone']);
    expect(await wanted()).toEqual([]);
    for (const name of ['bob', 'carol', 'dave'])
      expect(swarm.delivery(sent.id, name)).toMatchObject({ state: 'queued', broadcast: 1 });
    const { messages } = await swarm.recv('dave');
    expect(messages).toMatchObject([{ body: 'all hands', broadcast: true, redelivered: false }]);
  });

  it('is frozen when it is sent: who comes later has no part in it', async () => {
    await open(['alice', 'bob']);
    const sent = await swarm.send('alice', '*', 'hi');
    await swarm.putAgent('late', {});
    await deliver();
    expect(await bodies('late')).toEqual([]);
    expect(swarm.delivery(sent.id, 'bob').state).toBe('queued');
  });

  it('obeys the allow-list of its sender, and is refused when it reaches nobody', async () => {
    await open([['alice', { allowed_recipients: ['carol'] }], 'bob', 'carol', 'manager']);
    expect((await swarm.send('alice', '*', 'hi')).recipients).toEqual(['carol', 'manager']);
    await swarm.broker.close();
    await open(['alone']);
    expect(await refusal(swarm.send('alone', '*', 'hi'))).toBe('unknown_recipient');
  });

  it('is seen before a later message of its sender, and by whoever receives, before its job came', async () => {
    await open(['alice', 'bob', ['carol', ext]]);
    await swarm.send('alice', 'bob', 'first');
    await swarm.send('alice', '*', 'second');
    await swarm.send('alice', 'bob', 'third');
    expect(await bodies('bob')).toEqual(['first', 'second', 'third']);
    expect(await bodies('carol')).toEqual(['second']);
    expect(await deliver()).toEqual(['done']);
    expect(await fresh('bob')).toEqual([]);
  });

  it('is given at once to a recv that waits, without its job, and after what its sender sent before', async () => {
    await open(['alice', ['bob', ext], 'carol']);
    const batch = watch(swarm.recv('bob', { wait_ms: 100_000, max: 5 }));
    await swarm.hello('carol');
    await swarm.operatorSends('carol', 'start');
    const turn = await swarm.turn('carol');
    const inTurn = watch(swarm.recv(turn, { wait_ms: 100_000 }));
    await settled();
    const { id } = await swarm.send('alice', '*', 'hi');
    await settled();
    for (const { value } of [batch, inTurn])
      expect(value?.messages).toMatchObject([{ body: 'hi', redelivered: false, broadcast: true }]);
    expect(swarm.delivery(id, 'carol')).toMatchObject({ state: 'leased' });
    expect(await deliver()).toEqual(['done']);
    expect(await fresh('bob')).toEqual([]);
  });

  it('keeps the order of two broadcasts whose jobs come the other way round', async () => {
    await open(['alice', ['bob', ext]]);
    await swarm.send('alice', '*', 'one');
    await swarm.send('alice', '*', 'two');
    const [one, two] = await wanted();
    if (!one || !two) throw new Error('two jobs are wanted');
    await deliver([two]);
    expect(await bodies('bob')).toEqual(['one', 'two']);
    expect(await deliver([one])).toEqual(['done']);
    expect(await fresh('bob')).toEqual([]);
  });

  it('survives a crash before any of its jobs reached Redis', async () => {
    await open(['alice', ['bob', ext]]);
    await swarm.send('alice', '*', 'hi');
    swarm.crash();
    await swarm.reopen();
    expect(await wanted()).toHaveLength(1);
    expect(await bodies('bob')).toEqual(['hi']);
  });

  it('skips a full inbox and says so in the state of the message', async () => {
    await open(['alice', 'bob', ['carol', { inbox_limit: 1 }]]);
    await swarm.send('bob', 'carol', 'fills it');
    const { id } = await swarm.send('alice', '*', 'hi');
    await deliver();
    expect(swarm.delivery(id, 'carol')).toMatchObject({ state: 'cancelled', reason: 'inbox_full' });
    expect(swarm.delivery(id, 'bob').state).toBe('queued');
  });

  it('of the operator reaches all, and repeats of one request or key send once', async () => {
    await open(['alice', 'bob']);
    const request_id = swarm.broker.requestId();
    const key = { idempotency_key: 'once' };
    const first = await swarm.send('alice', '*', 'hi', { request_id });
    expect(await swarm.send('alice', '*', 'hi', { request_id })).toEqual(first);
    const keyed = await swarm.send('alice', '*', 'other', key);
    expect(await swarm.send('alice', '*', 'other', key)).toMatchObject({ id: keyed.id });
    expect(await wanted()).toHaveLength(2);
    expect((await swarm.operatorSends('*', 'to all')).recipients).toEqual(['alice', 'bob']);
  });

  it('to many is written in chunks', async () => {
    const many = Array.from({ length: 450 }, (_, n) => `a${n}`);
    await open(['alice', ...many]);
    const sent = await swarm.send('alice', '*', 'hi');
    expect(sent.recipients).toEqual(many);
    expect(await wanted()).toHaveLength(3);
    expect(await deliver()).toEqual(['done', 'done', 'done']);
    expect(swarm.delivery(sent.id, 'a449').state).toBe('queued');
    await swarm.recv('a449');
    const { messages } = await swarm.broker.dashboard.messages({}, swarm.context());
    const row = messages.find(({ id }) => id === sent.id);
    expect(row?.deliveries).toHaveLength(LIMITS.deliveries_shown);
    expect(row?.deliveries[0]).toMatchObject({ to: 'a449', state: 'leased' });
    expect(row?.delivery_counts).toEqual({ queued: 449, leased: 1 });
  });
});

describe(verifies('P20', 'P21') + 'a broadcast past the hop limit', () => {
  it('is let go by the click that comes before its job', async () => {
    await open(['alice', 'bob', 'carol']);
    for (const name of ['alice', 'bob']) await swarm.hello(name);
    await swarm.operatorSends('alice', 'start');
    const turn = await swarm.turn('alice');
    const turns = swarm.broker.app.get(LiveTurns);
    await swarm.broker.app.get(Writer).submit(() => {
      const live = turns.of(swarm.id('alice'));
      if (live) turns.update(live, { hop: LIMITS.hops });
    });
    const { id } = await swarm.send(turn, '*', 'round and round');
    await swarm.broker.dashboard.release({ agent: 'bob' }, swarm.context());
    await deliver();
    expect(swarm.delivery(id, 'bob')).toMatchObject({ priority: 1, reason: null });
    expect((await swarm.poll('bob')).turn?.messages).toMatchObject([{ id, hop: 0 }]);
  });
});

describe(verifies('1.6', 'P15', 'P16') + 'wakes of a broadcast', () => {
  it('are spread: a hundred agents do not start a hundred turns at once', async () => {
    const names = Array.from({ length: 100 }, (_, n) => `a${n}`);
    await open(['alice', ...names], {
      grantLimits: { liveTurns: 1000, perSecond: 1000, burst: 1000 },
    });
    for (const name of names) await swarm.hello(name);
    const granted: string[] = [];
    const polls = names.map(async (name) => {
      const answer = await swarm.poll(name, { wait_seconds: 50 });
      if (answer.turn) granted.push(name);
    });
    await swarm.send('alice', '*', 'hi');
    await deliver();
    await swarm.pass(0.01);
    expect(granted.length).toBe(LIMITS.broadcast_wake_burst);
    await swarm.pass(1);
    const perSecond = LIMITS.broadcast_wakes_per_second;
    expect(granted.length).toBeGreaterThanOrEqual(LIMITS.broadcast_wake_burst + perSecond - 2);
    expect(granted.length).toBeLessThanOrEqual(LIMITS.broadcast_wake_burst + perSecond + 1);
    await swarm.pass(12);
    await Promise.all(polls);
    expect(granted).toHaveLength(100);
  });

  it('say what they wait for, do not hold up a direct message, and never delay recv', async () => {
    await open(['alice', 'bob', ['carol', ext], 'dave'], {
      grantLimits: {
        liveTurns: 9,
        perSecond: 9,
        burst: 9,
        broadcastBurst: 1,
        broadcastsPerSecond: 0.01,
      },
    });
    for (const name of ['bob', 'dave']) await swarm.hello(name);
    const bob = swarm.poll('bob', { wait_seconds: 50 });
    const { id } = await swarm.send('alice', '*', 'hi');
    await deliver();
    expect((await bob).turn?.messages).toMatchObject([{ body: 'hi' }]);
    const dave = swarm.poll('dave', { wait_seconds: 50 });
    await swarm.pass(1);
    const { messages } = await swarm.broker.dashboard.messages({}, swarm.context());
    const waits = messages.find((message) => message.id === id)?.deliveries;
    expect(waits?.find((delivery) => delivery.to === 'dave')?.waits_for).toBe('broadcast_rate');
    expect(await bodies('carol')).toEqual(['hi']);
    await swarm.send('alice', 'dave', 'direct');
    expect((await dave).turn).toMatchObject({ messages: [{ body: 'hi' }], pending: 1 });
  });
});

describe(verifies('1.8', 'P33') + 'the rate of sends', () => {
  const slow: Partial<RegistryAgent> = { send_burst: 6, sends_per_minute: 60 };

  it('lets a burst pass, then says when to try again', async () => {
    await open([['alice', slow], 'bob']);
    for (let n = 0; n < 6; n += 1) await swarm.send('alice', 'bob', `n${n}`);
    await expect(swarm.send('alice', 'bob', 'one more')).rejects.toMatchObject({
      code: 'rate_limited',
      details: { retry_after_seconds: 1, burst: 6, per_minute: 60 },
    });
    await swarm.pass(1);
    await swarm.send('alice', 'bob', 'again');
    expect(await refusal(swarm.send('alice', 'bob', 'too fast'))).toBe('rate_limited');
  });

  it('takes one for each name, five for a broadcast, none for what is refused or repeated', async () => {
    await open([['alice', slow], 'bob', 'carol']);
    const request_id = swarm.broker.requestId();
    await swarm.send('alice', '*', 'hi', { request_id });
    await swarm.send('alice', '*', 'hi', { request_id });
    expect(await refusal(swarm.send('alice', 'nobody', 'hi'))).toBe('unknown_recipient');
    expect(await refusal(swarm.send('alice', ['bob', 'carol'], 'hi'))).toBe('rate_limited');
    await swarm.send('alice', 'bob', 'the sixth');
    expect(await refusal(swarm.send('alice', 'bob', 'hi'))).toBe('rate_limited');
  });

  it('counts external wakes, and never the operator', async () => {
    await open([['alice', { send_burst: 1, sends_per_minute: 1 }]]);
    const wake = async () =>
      swarm.broker.dashboard.wake(
        { agent: 'alice', from: 'hook', body: 'x', request_id: swarm.broker.requestId() },
        swarm.context(),
      );
    const { id } = await wake();
    expect(swarm.message(id)).toMatchObject({ from_name: 'external:hook', from_kind: 'external' });
    expect(await refusal(wake())).toBe('rate_limited');
    await swarm.operatorSends('alice', 'a');
    await swarm.operatorSends('alice', 'b');
  });
});

describe(verifies('P25') + 'purge', () => {
  it('lets what waits die and tells the senders, once', async () => {
    await open(['alice', 'bob', 'carol']);
    const { id } = await swarm.send('alice', 'bob', 'hi');
    await swarm.send('alice', '*', 'to all');
    const purge = async () =>
      swarm.broker.c0re.purge_agent({ agent_id: String(swarm.id('bob')) }, swarm.context());
    expect(await refusal(purge())).toBe('conflict');
    await swarm.putAgent('bob', { state: 'destroyed' });
    expect(await purge()).toEqual({ dead: 2 });
    expect(await purge()).toEqual({ dead: 0 });
    const unknown = { agent_id: '99' };
    expect(await swarm.broker.c0re.purge_agent(unknown, swarm.context())).toEqual({ dead: 0 });
    expect(swarm.delivery(id, 'bob')).toMatchObject({ state: 'dead', reason: 'recipient_purged' });
    const { messages } = await swarm.recv('alice', { max: 32 });
    expect(messages).toMatchObject([{ event: 'recipient_purged', from: 'system', kind: 'event' }]);
    expect(messages[0]?.body).toContain('2 messages');
  });

  it('leaves its dead deliveries to be seen by its name, also when another has it, and says why none is tried again', async () => {
    await open(['alice', 'bob']);
    const { id } = await swarm.send('alice', 'bob', 'hi');
    await swarm.putAgent('bob', { state: 'destroyed' });
    const agent_id = String(swarm.id('bob'));
    const retry = async () =>
      swarm.broker.dashboard.retry_delivery({ id: `${id}.${agent_id}` }, swarm.context());
    await swarm.broker.c0re.purge_agent({ agent_id }, swarm.context());
    expect((await page({ agent: 'bob' })).deliveries).toMatchObject([
      { to: 'bob', state: 'dead', message: { id } },
    ]);
    await expect(retry).rejects.toThrow('removed for good');
    await swarm.putAgent('bob', { agent_id: '9', state: 'running' });
    expect((await page({ agent: 'bob' })).deliveries).toHaveLength(1);
  });

  it('leaves what a destroyed agent kept to its revived self', async () => {
    await open(['alice', 'bob']);
    await swarm.send('alice', 'bob', 'hi');
    await swarm.putAgent('bob', { state: 'destroyed' });
    await swarm.putAgent('bob', { state: 'running' });
    expect(await bodies('bob')).toEqual(['hi']);
  });
});

const page = async (query: object) =>
  swarm.broker.dashboard.dead_deliveries(query, swarm.context());

describe(verifies('1.2') + 'dead deliveries', () => {
  it('are listed newest first, by agent, in pages', async () => {
    await open(['alice', 'bob', 'carol']);
    const ids: string[] = [];
    for (const name of ['bob', 'carol']) {
      await swarm.hello(name);
      ids.push((await swarm.send('alice', name, 'poison')).id);
      for (let attempt = 0; attempt < 5; attempt += 1) {
        await swarm.end(await swarm.turn(name), { result_kind: 'failed' });
        await swarm.pass(100);
      }
    }
    const first = await page({ limit: 1 });
    expect(first.deliveries).toMatchObject([
      { to: 'carol', state: 'dead', message: { id: ids[1] } },
    ]);
    const second = await page({ limit: 1, before: first.next });
    expect(second.deliveries).toMatchObject([{ to: 'bob', message: { id: ids[0] } }]);
    expect(second.next).toBeUndefined();
    expect((await page({ agent: 'bob' })).deliveries).toHaveLength(1);
    expect(await refusal(page({ agent: 'nobody' }))).toBe('not_found');
    expect(await refusal(page({ limit: 0 }))).toBe('invalid_request');
  });
});
