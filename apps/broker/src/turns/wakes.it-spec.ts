import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';

import type { PollAnswer } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { Writer } from '../storage/writer.service.js';
import { settled, Swarm, watch } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';
import { LiveTurns } from './live-turns.js';

let swarm: Swarm;
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

const bodies = (answer: { turn: { messages: { body: string }[] } | null } | undefined) =>
  answer?.turn?.messages.map(({ body }) => body);
const ids = (answer: PollAnswer) => answer.turn?.messages.map(({ id }) => id) ?? [];

describe(verifies('1.4', 'P8') + 'a wake', () => {
  it('takes one message and up to ten low ones; all else is counted', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.hello('bob');
    for (let n = 0; n < 12; n += 1)
      await swarm.send('alice', 'bob', `low ${n}`, { priority: 'low' });
    for (const body of ['one', 'two', 'three']) await swarm.send('alice', 'bob', body);
    const turn = await swarm.turn('bob');
    expect(turn.messages.map(({ body }) => body)).toEqual([
      'one',
      ...Array.from({ length: 10 }, (_, n) => `low ${n}`),
    ]);
    expect(turn.pending).toBe(4);
  });

  it('carries the message that it answers, where the agent is part of it', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.hello('bob');
    await swarm.hello('alice');
    const question = await swarm.send('alice', 'bob', 'question');
    const turn = await swarm.turn('bob');
    const answer = await swarm.send(turn, 'alice', 'answer', { in_reply_to: question.id });
    const alices = await swarm.turn('alice');
    expect(alices.contexts).toEqual({
      [answer.id]: { id: question.id, from: 'alice', body: 'question' },
    });
  });

  it('is not added to by what comes while it runs, which starts the next turn at once', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.hello('bob');
    await swarm.send('alice', 'bob', 'one');
    const first = await swarm.turn('bob');
    const later = await swarm.send('alice', 'bob', 'two', { priority: 'urgent' });
    expect(swarm.delivery(later.id, 'bob')).toMatchObject({ state: 'queued', turn: null });
    const again = await swarm.poll('bob', { run_token_hash: first.run, last_turn_id: null });
    expect(again.turn).toMatchObject({ turn_id: first.turn_id, again: true, pending: 1 });
    expect(bodies(again)).toEqual(['one']);
    const ended = await swarm.end(first, { shown: [...ids(again), later.id] });
    expect(ended.acked).not.toContain(later.id);
    expect(bodies(await swarm.poll('bob', { last_turn_id: first.turn_id }))).toEqual(['two']);
  });

  it('never comes from low messages alone', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.hello('bob');
    await swarm.send('alice', 'bob', 'low', { priority: 'low' });
    const poll = watch(swarm.poll('bob', { wait_seconds: 50 }));
    await settled();
    await swarm.pass(20);
    expect(poll.value).toBeUndefined();
    await swarm.send('alice', 'bob', 'normal');
    await settled();
    expect(bodies(poll.value)).toEqual(['normal', 'low']);
  });

  it('names who sent the message, attested by the broker', async () => {
    swarm = await Swarm.open(['manager', 'alice', 'bob']);
    await swarm.hello('bob');
    await swarm.operatorSends('bob', 'by the operator');
    await swarm.send('manager', 'bob', 'by the manager');
    await swarm.send('alice', 'bob', 'by a peer');
    await swarm.broker.gateway.wake(
      {
        credential: swarm.token('bob'),
        request_id: swarm.broker.requestId(),
        from: 'webhook',
        body: 'by a program',
      },
      swarm.context(),
    );
    const seen: unknown[] = [];
    for (let n = 0; n < 4; n += 1) {
      const turn = await swarm.turn('bob');
      seen.push([turn.messages[0]?.from, turn.messages[0]?.from_kind, turn.wake_reason]);
      await swarm.end(turn);
    }
    expect(seen).toEqual([
      ['operator', 'operator', 'message'],
      ['manager', 'manager', 'message'],
      ['alice', 'agent', 'message'],
      ['external:webhook', 'external', 'manual'],
    ]);
  });

  it('starts the next turn at once when one ended well and something waits', async () => {
    swarm = await Swarm.open(['alice', ['bob', { quiet_window_ms: 60_000 }]]);
    await swarm.hello('bob');
    await swarm.operatorSends('bob', 'start');
    const turn = await swarm.turn('bob');
    await swarm.send('alice', 'bob', 'meanwhile');
    await swarm.end(turn);
    expect(bodies(await swarm.poll('bob'))).toEqual(['meanwhile']);
  });
});

describe(verifies('P16', '1.7') + 'the quiet window', () => {
  const window = { quiet_window_ms: 5000 };

  it('delays a turn from the first message that waits, and is never extended (EXECUTIONS H21)', async () => {
    swarm = await Swarm.open(['alice', ['bob', window]]);
    await swarm.hello('bob');
    const poll = watch(swarm.poll('bob', { wait_seconds: 50 }));
    for (let second = 0; second < 5; second += 1) {
      await swarm.send('alice', 'bob', `${second}`);
      expect(poll.value).toBeUndefined();
      await swarm.pass(1);
    }
    expect(bodies(poll.value)).toEqual(['0']);
    expect(poll.value?.turn?.pending).toBe(4);
  });

  it('is skipped by urgent messages and by those of the operator', async () => {
    swarm = await Swarm.open(['alice', ['bob', window]]);
    await swarm.hello('bob');
    await swarm.send('alice', 'bob', 'normal');
    expect((await swarm.poll('bob')).turn).toBeNull();
    await swarm.operatorSends('bob', 'now');
    const turn = await swarm.turn('bob');
    expect(turn.messages.map(({ body }) => body)).toEqual(['normal']);
    await swarm.end(turn);
    await swarm.end(await swarm.turn('bob'));
    await swarm.send('alice', 'bob', 'urgent', { priority: 'urgent' });
    expect(bodies(await swarm.poll('bob'))).toEqual(['urgent']);
  });

  it('does not delay a recv', async () => {
    swarm = await Swarm.open(['alice', ['bob', window]]);
    await swarm.hello('bob');
    await swarm.operatorSends('bob', 'start');
    const turn = await swarm.turn('bob');
    await swarm.send('alice', 'bob', 'normal');
    expect((await swarm.recv(turn)).messages).toHaveLength(1);
  });

  it('is over when the wall clock jumped back, and is kept over a restart (EXECUTIONS H23)', async () => {
    swarm = await Swarm.open(['alice', ['bob', window]]);
    await swarm.hello('bob');
    await swarm.send('alice', 'bob', 'normal');
    swarm.crash();
    await swarm.reopen();
    expect((await swarm.poll('bob')).turn).toBeNull();
    swarm.clock.jump(-3_600_000);
    expect(bodies(await swarm.poll('bob'))).toEqual(['normal']);
  });
});

describe(verifies('P15') + 'whether an agent may be woken', () => {
  it.each(['stopped', 'stopping', 'parked', 'crashed', 'starting'] as const)(
    'is no while it is %s, and yes once it runs again',
    async (state) => {
      swarm = await Swarm.open(['alice', 'bob']);
      await swarm.hello('bob');
      const poll = watch(swarm.poll('bob', { wait_seconds: 50 }));
      await swarm.putAgent('bob', { state });
      await swarm.send('alice', 'bob', 'urgent', { priority: 'urgent' });
      await settled();
      expect(poll.value).toBeUndefined();
      await swarm.putAgent('bob', { state: 'running' });
      await settled();
      expect(bodies(poll.value)).toEqual(['urgent']);
    },
  );

  it('is looked for again when the disk was full as it came due', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.hello('bob');
    await swarm.send('alice', 'bob', 'hi');
    await swarm.end(await swarm.turn('bob'), { result_kind: 'failed' });
    const waiting = watch(swarm.poll('bob', { wait_seconds: 50 }));
    await settled();
    const { db } = swarm.broker.app.get(ThreadsDb);
    // Nobody asked for the transaction that fails, so nobody is told of it.
    db.exec(
      "CREATE TEMP TRIGGER full BEFORE INSERT ON turns BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    );
    await swarm.pass(8);
    expect(waiting.value).toBeUndefined();
    db.exec('DROP TRIGGER full');
    await swarm.pass(8);
    expect(bodies(waiting.value)).toEqual(['hi']);
  });

  it('keeps the back-off over a restart (EXECUTIONS H23)', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.hello('bob');
    await swarm.send('alice', 'bob', 'hi');
    await swarm.end(await swarm.turn('bob'), { result_kind: 'failed' });
    swarm.crash();
    await swarm.reopen();
    expect((await swarm.poll('bob')).turn).toBeNull();
    const poll = watch(swarm.poll('bob', { wait_seconds: 50 }));
    await settled();
    await swarm.pass(6);
    expect(poll.value?.turn).not.toBeNull();
  });

  it('lets others pass a message that is backed off', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.hello('bob');
    await swarm.send('alice', 'bob', 'fails');
    await swarm.end(await swarm.turn('bob'), { result_kind: 'failed' });
    await swarm.send('alice', 'bob', 'passes');
    expect(bodies(await swarm.poll('bob'))).toEqual(['passes']);
  });

  it('stays within the turns that may be live at once, the operator first (EXECUTIONS H23)', async () => {
    swarm = await Swarm.open(['alice', 'a', 'b', 'c'], {
      grantLimits: { liveTurns: 1, perSecond: 1000, burst: 1000 },
    });
    for (const agent of ['a', 'b', 'c']) await swarm.hello(agent);
    await swarm.send('alice', 'a', 'hi');
    const first = await swarm.turn('a');
    const b = watch(swarm.poll('b', { wait_seconds: 50 }));
    const c = watch(swarm.poll('c', { wait_seconds: 50 }));
    await settled();
    await swarm.send('alice', 'b', 'hi');
    await swarm.operatorSends('c', 'hi');
    await settled();
    expect([b.value, c.value]).toEqual([undefined, undefined]);
    await swarm.end(first);
    await settled();
    expect(c.value?.turn).not.toBeNull();
    expect(b.value).toBeUndefined();
  });

  it('stays within the turns that may start per second', async () => {
    const agents = ['a', 'b', 'c', 'd'];
    swarm = await Swarm.open(['alice', ...agents], {
      grantLimits: { liveTurns: 100, perSecond: 1, burst: 2 },
    });
    const polls: { value?: { turn: unknown } }[] = [];
    for (const agent of agents) {
      await swarm.hello(agent);
      polls.push(watch(swarm.poll(agent, { wait_seconds: 50 })));
    }
    await settled();
    await Promise.all(agents.map((agent) => swarm.send('alice', agent, 'hi')));
    await settled();
    const started = () => polls.filter(({ value }) => value?.turn).length;
    expect(started()).toBe(2);
    await swarm.pass(1);
    expect(started()).toBe(3);
    await swarm.pass(1);
    expect(started()).toBe(4);
  });

  it('is looked at once for all that wait for that rate, whatever their number', async () => {
    const agents = Array.from({ length: 30 }, (_, n) => `a${n}`);
    swarm = await Swarm.open(['alice', ...agents], {
      grantLimits: { liveTurns: 100, perSecond: 1, burst: 1 },
    });
    for (const agent of agents) {
      await swarm.hello(agent);
      void swarm.poll(agent, { wait_seconds: 50 });
    }
    await settled();
    await swarm.operatorSends('*', 'hi', { priority: 'urgent' });
    for (const agent of agents) await swarm.operatorSends(agent, 'hi');
    const live = () => swarm.broker.app.get(LiveTurns).size;
    expect(live()).toBe(1);
    const submit = vi.spyOn(swarm.broker.app.get(Writer), 'submit');
    await swarm.pass(3);
    expect(live()).toBe(4);
    expect(submit.mock.calls.length).toBeLessThan(15);
  });

  it('is computed again by the check of the maintenance queue', async () => {
    swarm = await Swarm.open(['alice', 'bob', ['ext', { driver: 'external' }]]);
    await swarm.hello('bob');
    await swarm.send('alice', 'bob', 'hi');
    await swarm.send('alice', 'bob', 'more');
    await swarm.send('alice', 'ext', 'hi');
    const check = () => swarm.broker.scheduler.check_wakes({}, swarm.context());
    expect(await check()).toEqual({ queued: 3, woken: 0, stuck: 2 });
    const poll = watch(swarm.poll('bob', { wait_seconds: 50 }));
    await settled();
    expect(poll.value?.turn).not.toBeNull();
    expect(await check()).toMatchObject({ queued: 2, stuck: 0 });
  });
});
