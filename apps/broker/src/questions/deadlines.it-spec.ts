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

const taken = async () =>
  (await swarm.broker.scheduler.take_jobs({ limit: 100 }, swarm.context())).jobs;
const wanted = async (after?: string) =>
  swarm.broker.scheduler.wanted_jobs(
    { queue: 'deliveries', limit: 2, ...(after === undefined ? {} : { after }) },
    swarm.context(),
  );

describe(verifies('2.1', 'I13') + 'the jobs of deadlines', () => {
  it('are told with the question, when the deadline is within the window', async () => {
    await asking.ask('alice', 'soon', { ttl_seconds: LIMITS.job_window_seconds });
    await asking.ask('alice', 'later', { ttl_seconds: LIMITS.job_window_seconds + 1 });
    await asking.ask('alice', 'never');
    const job = {
      queue: 'deliveries',
      job_id: 'ask-q1',
      due_at: '2026-01-01T00:10:00.000Z',
      data: { id: 'q1' },
    };
    expect(await taken()).toEqual([job]);
    expect(await wanted()).toEqual({ jobs: [job] });
    await swarm.pass(2);
    expect((await wanted()).jobs).toMatchObject([{ job_id: 'ask-q1' }, { job_id: 'ask-q2' }]);
  });

  it('are what the rows ask for, in pages, in the order of their time', async () => {
    for (const ttl_seconds of [30, 10, 20, 10, 30]) await asking.ask('alice', 'x', { ttl_seconds });
    const ids: string[] = [];
    let after: string | undefined;
    do {
      const page: Awaited<ReturnType<typeof wanted>> = await wanted(after);
      ids.push(...page.jobs.map(({ job_id }) => job_id));
      after = page.next;
    } while (after !== undefined);
    expect(ids).toEqual(['ask-q2', 'ask-q4', 'ask-q3', 'ask-q1', 'ask-q5']);
    await asking.operatorAnswers('q4', 'yes');
    const { job_ids } = await swarm.broker.scheduler.still_wanted(
      { job_ids: ['ask-q4', 'ask-q5', 'ask-q99', 'ask-x', 'rem-r1-1-1'] },
      swarm.context(),
    );
    expect(job_ids).toEqual(['ask-q5']);
    expect((await wanted('nonsense')).jobs).toMatchObject([
      { job_id: 'ask-q2' },
      { job_id: 'ask-q3' },
    ]);
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
    swarm.clock.jump(9999);
    expect(await expire(id)).toEqual([{ job_id: `ask-${id}`, outcome: 'early', again_in_ms: 1 }]);
    expect(asking.state(id)).toBe('open');
    swarm.clock.jump(1);
    expect(await expire(id)).toMatchObject([{ outcome: 'done' }]);
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
