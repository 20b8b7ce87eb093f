import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { deadlineJobId, type WantedJob } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { Writer } from '../storage/writer.service.js';
import { refusal, Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';
import { Jobs, type JobSource } from './jobs.service.js';

const at = '2026-01-01T00:00:00.000Z';
const job = (id: string): WantedJob => ({
  queue: 'deliveries',
  job_id: deadlineJobId({ id }),
  due_at: at,
  data: { id },
});

let swarm: Swarm;
beforeEach(async () => {
  swarm = await Swarm.open(['alice']);
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

const jobs = () => swarm.broker.app.get(Jobs);
const want = (...ids: string[]) =>
  swarm.broker.app.get(Writer).submit(() => {
    for (const id of ids) jobs().want(job(id));
  });
const take = async (limit: number) => swarm.broker.scheduler.take_jobs({ limit }, swarm.context());
const added = async (through: number) =>
  swarm.broker.scheduler.jobs_added({ through }, swarm.context());

describe(verifies('P22', 'P27') + 'jobs that Redis has to learn', () => {
  it('are given oldest first, again and again until Redis has them', async () => {
    await want('q1', 'q2');
    await want('q3');
    const first = await take(2);
    expect(first).toMatchObject({ jobs: [job('q1'), job('q2')], more: true });
    expect(await take(2)).toEqual(first);
    expect(await added(first.through)).toEqual({ removed: 2 });
    expect(await added(first.through)).toEqual({ removed: 0 });
    expect(await take(2)).toMatchObject({ jobs: [job('q3')], more: false });
  });

  it('are on disk with the fact, and gone with it when it is rolled back', async () => {
    await want('q1');
    const broken = swarm.broker.app.get(Writer).submit(() => {
      jobs().want(job('q2'));
      throw new Error('the fact fails');
    });
    await expect(broken).rejects.toThrow('the fact fails');
    swarm.crash();
    await swarm.reopen();
    expect((await take(10)).jobs).toEqual([job('q1')]);
  });

  it('are bounded while nobody takes them', async () => {
    await swarm.broker.app.get(Writer).submit(() => {
      for (let n = 1; n <= 50_000; n += 1) jobs().want(job(`q${n}`));
    });
    await want('q50001');
    expect((await take(1)).jobs).toEqual([job('q25002')]);
  });

  it('are listed and judged by the concern that owns the queue', async () => {
    const source: JobSource = {
      page: (after, limit) => ({ jobs: [job(`q${limit}`)], next: `${after}+` }),
      wants: (ids) => ids.filter((id) => id === 'ask-q1'),
    };
    jobs().register('deliveries', source);
    const { scheduler } = swarm.broker;
    expect(
      await scheduler.wanted_jobs({ queue: 'deliveries', after: 'x', limit: 7 }, swarm.context()),
    ).toEqual({ jobs: [job('q7')], next: 'x+' });
    expect(
      await scheduler.still_wanted({ job_ids: ['ask-q1', 'ask-q2'] }, swarm.context()),
    ).toEqual({ job_ids: ['ask-q1'] });
  });

  it.each([
    ['take_jobs', { limit: 0 }],
    ['take_jobs', { limit: 1001 }],
    ['take_jobs', { limit: 1, more: 1 }],
    ['jobs_added', { through: -1 }],
    ['wanted_jobs', { queue: 'operations', limit: 1 }],
    ['wanted_jobs', { queue: 'reminders', limit: 1, after: 'x'.repeat(101) }],
    ['still_wanted', { job_ids: [1] }],
    ['still_wanted', {}],
  ] as const)('refuses %s %j', async (method, params) => {
    const handler = swarm.broker.scheduler[method] as unknown as (
      params: object,
      context: object,
    ) => Promise<unknown>;
    expect(await refusal((async () => handler(params, swarm.context()))())).toMatch(
      /invalid_request|unknown_field/,
    );
  });
});
