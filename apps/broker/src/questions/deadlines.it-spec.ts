import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LIMITS, type JobOutcome, type Message } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { refusal, settled, Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';
import { Asking } from './testing/asking.js';

let swarm: Swarm;
const asking = new Asking(() => swarm);
beforeEach(async () => {
  swarm = await Swarm.open(['alice', 'bob']);
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

async function inbox(agent: string): Promise<Message[]> {
  return (await swarm.recvShown(agent, { max: LIMITS.recv_batch })).messages;
}

async function expire(...ids: string[]): Promise<JobOutcome[]> {
  const jobs = ids.map((id) => ({ id }));
  const { outcomes } = await swarm.broker.scheduler.expire_questions({ jobs }, swarm.context());
  return outcomes;
}

describe(verifies('2.1', 'I8') + 'a deadline', () => {
  it('that passes gives the asker its one outcome, with no scheduler at all', async () => {
    const { id } = await asking.ask('alice', 'Tea?', { to: 'bob', ttl_seconds: 30 });
    await swarm.pass(29);
    expect(asking.state(id)).toBe('open');
    await swarm.pass(2);
    expect(asking.state(id)).toBe('expired');
    await swarm.pass(10);
    expect(await inbox('alice')).toMatchObject([
      {
        from: 'system',
        from_kind: 'system',
        kind: 'answer',
        event: 'question_answered',
        body: '[expired]',
        question: { id, state: 'expired', question: 'Tea?' },
      },
    ]);
    expect(await inbox('alice')).toEqual([]);
    expect(await refusal(asking.answer('bob', id, 'too late'))).toBe('conflict');
  });

  it('is not needed: a question without one stays open', async () => {
    const { id } = await asking.ask('alice', 'Tea?');
    await swarm.pass(2 * 3600);
    expect(asking.state(id)).toBe('open');
  });

  it('of a question that was answered in time passes unnoticed', async () => {
    const { id } = await asking.ask('alice', 'Tea?', { to: 'bob', ttl_seconds: 30 });
    await asking.answer('bob', id, 'yes');
    await swarm.pass(60);
    expect(await expire(id)).toEqual([{ job_id: `ask-${id}`, outcome: 'gone' }]);
    expect(await inbox('alice')).toMatchObject([{ body: 'yes' }]);
  });

  it('survives a crash and a long time away', async () => {
    const { id } = await asking.ask('alice', 'Tea?', { ttl_seconds: 21_600 });
    swarm.crash();
    swarm.clock.advance(21_000_000);
    await swarm.reopen();
    await swarm.pass(5);
    expect(asking.state(id)).toBe('open');
    swarm.crash();
    swarm.clock.advance(3_600_000);
    await swarm.reopen();
    await swarm.pass(2);
    expect(asking.state(id)).toBe('expired');
    expect(await inbox('alice')).toHaveLength(1);
  });

  it('goes by the wall clock: set back it waits, set forward it passes', async () => {
    const { id } = await asking.ask('alice', 'Tea?', { ttl_seconds: 60 });
    swarm.clock.jump(-3_600_000);
    await swarm.pass(120);
    expect(asking.state(id)).toBe('open');
    expect(await expire(id)).toMatchObject([{ outcome: 'early' }]);
    swarm.clock.jump(3_600_000);
    await swarm.pass(1);
    expect(asking.state(id)).toBe('expired');
  });

  it('of very many at once passes for all of them', async () => {
    for (const agent of ['alice', 'bob'])
      for (let n = 1; n <= LIMITS.questions_open; n += 1)
        await asking.ask(agent, `${n}`, { ttl_seconds: 10 });
    await swarm.pass(11);
    await settled();
    expect(await asking.asks('alice')).toEqual([]);
    expect(await asking.asks('bob')).toEqual([]);
  });
});

describe(verifies('2.1', 'I7') + 'a job that comes due', () => {
  it('expires its question, once', async () => {
    const { id } = await asking.ask('alice', 'Tea?', { ttl_seconds: 1 });
    swarm.clock.jump(1000);
    expect(await expire(id, id)).toEqual([
      { job_id: `ask-${id}`, outcome: 'done' },
      { job_id: `ask-${id}`, outcome: 'gone' },
    ]);
    expect(await expire(id)).toEqual([{ job_id: `ask-${id}`, outcome: 'gone' }]);
    expect(await inbox('alice')).toHaveLength(1);
  });

  it('too early says how long to wait, and changes nothing', async () => {
    const { id } = await asking.ask('alice', 'Tea?', { ttl_seconds: 10 });
    expect(await expire(id)).toEqual([
      { job_id: `ask-${id}`, outcome: 'early', again_in_ms: 10_000 },
    ]);
    expect(asking.state(id)).toBe('open');
  });

  it('for what is no question, or has no deadline, is gone', async () => {
    const { id } = await asking.ask('alice', 'Tea?');
    expect((await expire(id, 'q99', 'm1', '')).map(({ outcome }) => outcome)).toEqual([
      'gone',
      'gone',
      'gone',
      'gone',
    ]);
    const bad = { jobs: [{ id: 7 }] } as never;
    expect(
      await refusal(run(() => swarm.broker.scheduler.expire_questions(bad, swarm.context()))),
    ).toBe('invalid_request');
  });
});

/** The call as a promise: some requests are refused before they are one. */
async function run<T>(call: () => T): Promise<Awaited<T>> {
  return await call();
}
