import {
  isoTime,
  type BrokerJobsApi,
  type JobOutcome,
  type JobQueue,
  type WantedJob,
} from '#libs/protocol';

import type { Action } from './actions.js';
import { Violation } from './ledger.js';
import { valueOf } from './outcome.js';
import type { World } from './world.js';

// What the scheduler does, and what happens to its Redis.

const QUEUES: readonly JobQueue[] = ['reminders', 'broadcasts', 'deliveries'];
const METHODS = {
  reminders: 'fire_reminders',
  broadcasts: 'deliver_chunks',
  deliveries: 'expire_questions',
} as const satisfies Record<JobQueue, keyof BrokerJobsApi>;
/** So few that every list has several pages. */
const PAGE = 1;

export async function redis(
  world: World,
  { what }: Extract<Action, { do: 'redis' }>,
): Promise<void> {
  const jobs = world.redis;
  switch (what) {
    case 'relay':
      return relay(world);
    case 'run':
      return run(world, jobs.due(world.clock.now()));
    case 'run_early':
      return run(world, jobs.all());
    case 'rerun':
      return run(world, [...jobs.ever.values()]);
    case 'flush':
      jobs.flush();
      return;
    case 'save':
      jobs.save();
      return;
    case 'restore':
      jobs.restore();
      return;
    case 'reconcile':
      return reconcile(world);
  }
}

async function relay(world: World): Promise<void> {
  world.call(
    'scheduler',
    'take_jobs',
    { limit: 100 },
    {
      caller: 'scheduler',
      arrive: (call) => {
        const taken = valueOf<BrokerJobsApi['take_jobs'][1]>(call);
        if (!taken || taken.jobs.length === 0) return;
        world.redis.add(taken.jobs);
        const added = { through: taken.through };
        world.call('scheduler', 'jobs_added', added, { caller: 'scheduler' });
      },
    },
  );
}

async function run(world: World, jobs: readonly WantedJob[]): Promise<void> {
  for (const queue of QUEUES) {
    const of = jobs.filter((job) => job.queue === queue);
    if (of.length === 0) continue;
    world.call(
      'scheduler',
      METHODS[queue],
      { jobs: of.map((job) => job.data) },
      {
        caller: 'scheduler',
        arrive: (call) => {
          const answer = valueOf<{ outcomes: JobOutcome[] }>(call);
          for (const outcome of answer?.outcomes ?? []) settle(world, outcome);
        },
      },
    );
  }
}

function settle(world: World, { job_id: id, outcome, again_in_ms: again }: JobOutcome): void {
  if (outcome === 'early') world.redis.delay(id, isoTime(world.clock.now() + (again ?? 0)));
  else world.redis.remove(id);
}

/** Compares rows and jobs both ways and mends the jobs; afterwards they are equal (I13). */
async function reconcile(world: World): Promise<void> {
  const { broker } = world;
  const wanted = await wantedJobs(world);
  if (!wanted) return;
  world.redis.add(wanted);
  const ids = new Set(wanted.map((job) => job.job_id));
  const extra = world.redis.all().filter((job) => !ids.has(job.job_id));
  const still = await ask<'still_wanted'>(world, 'still_wanted', {
    job_ids: extra.map((job) => job.job_id),
  });
  if (!still) return;
  for (const { job_id: id } of extra) {
    if (!still.job_ids.includes(id)) world.redis.remove(id);
    else if (world.broker === broker)
      throw new Violation('I13', `the rows want ${id}, and the list of wanted jobs has it not`);
  }
}

async function wantedJobs(world: World): Promise<WantedJob[] | undefined> {
  const jobs: WantedJob[] = [];
  for (const queue of QUEUES) {
    let after: string | undefined;
    do {
      const page: BrokerJobsApi['wanted_jobs'][1] | undefined = await ask<'wanted_jobs'>(
        world,
        'wanted_jobs',
        { queue, limit: PAGE, ...(after === undefined ? {} : { after }) },
      );
      if (!page) return undefined;
      jobs.push(...page.jobs);
      after = page.next;
    } while (after !== undefined);
  }
  const twice = jobs.find((job, n) => jobs.findIndex((it) => it.job_id === job.job_id) !== n);
  if (twice) throw new Violation('I13', `${twice.job_id} is wanted twice`);
  return jobs;
}

/** Undefined when the broker died over it. */
async function ask<K extends keyof BrokerJobsApi>(
  world: World,
  method: K,
  params: BrokerJobsApi[K][0],
): Promise<BrokerJobsApi[K][1] | undefined> {
  let answer: BrokerJobsApi[K][1] | undefined;
  world.call('scheduler', method, params, {
    caller: 'scheduler',
    arrive: (call) => {
      answer = valueOf<BrokerJobsApi[K][1]>(call);
    },
  });
  await world.settle();
  return answer;
}
