import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { NestFactory } from '@nestjs/core';
import { Queue } from 'bullmq';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { RpcServer, socketPath, type RpcHandlers, type RpcPeer } from '#libs/ipc';
import {
  reminderJobId,
  type BrokerSchedulerApi,
  type JobOutcome,
  type ReminderJob,
  type SchedulerCallbacks,
  type WantedJob,
} from '#libs/protocol';
import { QUEUE_PREFIX, QUEUES, redisOptions } from '#libs/queues';
import { createLogger, ManualClock, systemClock, type Clock } from '#libs/service';

import { PrivateRedis } from '../../../../test/processes/private-redis.js';
import { verifies } from '../../../../test/requirements/verifies.js';
import { SchedulerModule } from '../scheduler.module.js';

const LATER_MS = 300_000;

/** The rows of a broker as the scheduler sees them: reminders that are pending, and those that were fired. */
class Rows {
  constructor(private readonly clock: Clock = systemClock) {}

  readonly pending = new Map<string, WantedJob>();
  readonly fired: string[] = [];
  readonly batches: number[] = [];
  outbox: WantedJob[] = [];
  early = 0;
  /** As the broker does: whatever is due is written with the first job that comes. */
  allDueAtOnce = false;

  want(n: number, dueInMs: number): string {
    const data: ReminderJob = { id: `r${n}`, occurrence: 1, attempt: 0 };
    const job: WantedJob = {
      queue: 'reminders',
      job_id: reminderJobId(data),
      due_at: new Date(this.clock.now() + dueInMs).toISOString(),
      data,
    };
    this.pending.set(job.job_id, job);
    this.outbox.push(job);
    return job.job_id;
  }

  fire(jobs: readonly ReminderJob[]): { outcomes: JobOutcome[] } {
    this.batches.push(jobs.length);
    const answer = this.settle(jobs);
    if (this.allDueAtOnce)
      this.settle([...this.pending.values()].map(({ data }) => data as ReminderJob));
    return answer;
  }

  private settle(jobs: readonly ReminderJob[]): { outcomes: JobOutcome[] } {
    return {
      outcomes: jobs.map((data) => {
        const job_id = reminderJobId(data);
        const job = this.pending.get(job_id);
        if (!job?.due_at) return { job_id, outcome: 'gone' };
        const left = Date.parse(job.due_at) - this.clock.now();
        if (left > 0) {
          this.early += 1;
          return { job_id, outcome: 'early', again_in_ms: left };
        }
        this.pending.delete(job_id);
        this.fired.push(job_id);
        return { job_id, outcome: 'done' };
      }),
    };
  }
}

let redis: PrivateRedis;
let dir: string;
let queue: Queue;
let rows: Rows;
let peers: RpcPeer[];
let server: RpcServer<BrokerSchedulerApi>;
let stopScheduler: () => Promise<void>;

beforeEach(async () => {
  redis = await PrivateRedis.start();
  dir = mkdtempSync(path.join(tmpdir(), 'hive-due-'));
  queue = new Queue(QUEUES.reminders, {
    connection: redisOptions(redis.url),
    prefix: QUEUE_PREFIX,
  });
  queue.on('error', () => {});
  rows = new Rows();
  await startBroker();
  await startScheduler();
});
afterEach(async () => {
  await stopScheduler();
  await server.close();
  await queue.close();
  await redis.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function startBroker(): Promise<void> {
  peers = [];
  const file = socketPath(dir, 'broker', 'scheduler');
  mkdirSync(path.dirname(file), { recursive: true });
  const handlers: RpcHandlers<BrokerSchedulerApi> = {
    take_jobs: ({ limit }) => ({
      jobs: rows.outbox.slice(0, limit),
      through: Math.min(limit, rows.outbox.length),
      more: rows.outbox.length > limit,
    }),
    jobs_added: ({ through }) => ({ removed: rows.outbox.splice(0, through).length }),
    wanted_jobs: ({ queue: name, after, limit }) => {
      if (name !== 'reminders') return { jobs: [] };
      const start = Number(after ?? 0);
      const jobs = [...rows.pending.values()].slice(start, start + limit);
      return jobs.length === limit ? { jobs, next: String(start + limit) } : { jobs };
    },
    still_wanted: ({ job_ids: ids }) => ({ job_ids: ids.filter((id) => rows.pending.has(id)) }),
    fire_reminders: ({ jobs }) => rows.fire(jobs),
    deliver_chunks: () => ({ outcomes: [] }),
    expire_questions: () => ({ outcomes: [] }),
    sweep_retention: () => ({ messages: 0, questions: 0, reminders: 0, more: false }),
    sweep_leases: () => ({ expired: 0, returned: 0 }),
    check_wakes: () => ({ queued: 0, woken: 0, stuck: 0 }),
  };
  server = new RpcServer<BrokerSchedulerApi>({
    path: file,
    handlers,
    onConnect: (peer) => void peers.push(peer),
    onBug: (error) => {
      throw error;
    },
  });
  await server.listen();
}

async function startScheduler(clock: Clock = systemClock): Promise<void> {
  const env = { HIVE_RUNTIME_DIR: dir, HIVE_REDIS_URL: redis.url, HIVE_LOG_LEVEL: 'silent' };
  const app = await NestFactory.createApplicationContext(
    SchedulerModule.with({ env, logger: createLogger('scheduler', 'silent'), clock }),
    { logger: false, abortOnError: false },
  );
  stopScheduler = () => app.close();
}

const hint = () =>
  Promise.all(
    peers.map((peer) => peer.call<SchedulerCallbacks, 'jobs_waiting'>('jobs_waiting', {})),
  );
const inRedis = async () =>
  (await queue.getJobs(['delayed', 'wait'])).map((job) => job.id ?? '').toSorted();
const wanted = () => [...rows.pending.keys()].toSorted();
const SOON = { timeout: 15_000 };

describe(verifies('P22', '3.4', 'I13') + 'jobs in Redis', () => {
  it('come from the rows at a hint, and are carried out when they are due, many in one call', async () => {
    const ids = Array.from({ length: 50 }, (_, n) => rows.want(n + 1, 200));
    const later = rows.want(99, LATER_MS);
    await hint();
    await expect.poll(() => rows.fired.toSorted(), { timeout: 10_000 }).toEqual(ids.toSorted());
    await expect.poll(() => rows.outbox).toEqual([]);
    expect(Math.max(...rows.batches)).toBeGreaterThan(5);
    await expect.poll(inRedis).toEqual([later]);
  });

  it('come without any hint', async () => {
    rows.want(1, 10);
    await expect.poll(() => rows.fired, { timeout: 10_000 }).toEqual(['rem-r1-1-0']);
  });

  it('come at once when the broker comes back, not only with the next look', async () => {
    await stopScheduler();
    // Nothing that the scheduler does each second happens.
    await startScheduler({ ...systemClock, after: () => () => {} });
    await server.close();
    rows.want(1, LATER_MS);
    // Not among what the reconciler would add.
    rows.pending.clear();
    await startBroker();
    await expect.poll(() => rows.outbox, SOON).toEqual([]);
  });

  it('are back within seconds of a FLUSHALL, and after Redis was killed and lost everything', async () => {
    for (let n = 1; n <= 2500; n += 1) rows.want(n, LATER_MS);
    rows.outbox = [];
    const client = redis.client();
    await client.flushall();
    client.disconnect();
    await expect.poll(inRedis, SOON).toEqual(wanted());
    await redis.kill();
    await redis.start();
    await expect.poll(inRedis, SOON).toEqual(wanted());
  }, 60_000);

  it('go when the rows want them no more, and come back with a new id', async () => {
    const id = rows.want(1, LATER_MS);
    await hint();
    await expect.poll(inRedis, SOON).toEqual(wanted());
    rows.pending.delete(id);
    rows.want(2, LATER_MS);
    rows.outbox = [];
    const client = redis.client();
    // A wiped mark is how the next look knows that jobs are missing.
    await client.del(`${QUEUE_PREFIX}:${QUEUES.maintenance}:jobs-are-complete`);
    client.disconnect();
    await expect.poll(inRedis, SOON).toEqual(wanted());
  });

  it('that ended and were kept do not stand in the way of the next of their id', async () => {
    const id = rows.want(1, LATER_MS);
    rows.outbox = [];
    const client = redis.client();
    const key = `${QUEUE_PREFIX}:${QUEUES.reminders}`;
    await queue.add('due', rows.pending.get(id)?.data, { jobId: id, delay: LATER_MS });
    await client.zrem(`${key}:delayed`, id);
    await client.hset(`${key}:${id}`, 'finishedOn', '1');
    await client.zadd(`${key}:completed`, 1, id);
    await client.del(`${QUEUE_PREFIX}:${QUEUES.maintenance}:jobs-are-complete`);
    client.disconnect();
    await expect.poll(inRedis, SOON).toEqual([id]);
  });

  it('wait for a broker that is away, and lose no attempt', async () => {
    rows.want(1, 300);
    await hint();
    await expect.poll(inRedis, SOON).toEqual(wanted());
    await server.close();
    await expect
      .poll(async () => (await queue.getJob('rem-r1-1-0'))?.attemptsStarted ?? 0, {
        timeout: 15_000,
      })
      .toBeGreaterThan(1);
    expect((await queue.getJob('rem-r1-1-0'))?.attemptsMade).toBe(0);
    await startBroker();
    await expect.poll(() => rows.fired, { timeout: 15_000 }).toEqual(['rem-r1-1-0']);
  }, 60_000);

  it('that come too early are put back for the rest of their time', async () => {
    const job = rows.pending.get(rows.want(1, 1500)) as WantedJob;
    rows.outbox = [];
    await queue.add('due', job.data, {
      jobId: job.job_id,
      removeOnComplete: true,
      removeOnFail: true,
    });
    await expect.poll(() => rows.fired, { timeout: 10_000 }).toEqual(['rem-r1-1-0']);
    expect(rows.early).toBeGreaterThan(0);
  });

  it('go on when a full Redis has memory again', async () => {
    const client = redis.client();
    await client.config('SET', 'maxmemory-policy', 'noeviction');
    await client.config('SET', 'maxmemory', '1');
    rows.want(1, 10);
    await hint();
    await expect(queue.add('due', {}, { jobId: 'other' })).rejects.toThrow('OOM');
    expect(rows.fired).toEqual([]);
    expect(rows.outbox).toHaveLength(1);
    await client.config('SET', 'maxmemory', '0');
    client.disconnect();
    await expect.poll(() => rows.fired, { timeout: 15_000 }).toEqual(['rem-r1-1-0']);
  }, 60_000);
});

describe(verifies('P22', '3.4', 'I13', 'I8') + 'Redis', () => {
  it('restored from an old snapshot: what was done since is not done again, what came since is there', async () => {
    const done = rows.want(1, 3000);
    const cancelled = rows.want(2, LATER_MS);
    for (let n = 3; n <= 10; n += 1) rows.want(n, LATER_MS);
    await hint();
    await expect.poll(inRedis, SOON).toEqual(wanted());
    const client = redis.client();
    await client.save();
    client.disconnect();
    await expect.poll(() => rows.fired, SOON).toEqual([done]);
    rows.pending.delete(cancelled);
    for (let n = 11; n <= 20; n += 1) rows.want(n, LATER_MS);
    await hint();
    await expect.poll(() => rows.outbox, SOON).toEqual([]);

    await redis.kill();
    await redis.start();
    await expect.poll(inRedis, SOON).toEqual(wanted());
    const soon = rows.want(21, 10);
    await hint();
    await expect.poll(() => rows.fired, SOON).toEqual([done, soon]);
    await expect.poll(inRedis, SOON).toEqual(wanted());
  }, 90_000);

  it('away for an hour: all that came due meanwhile is done after it, each once, the rest when it is due', async () => {
    await stopScheduler();
    peers.length = 0;
    const clock = new ManualClock(Date.now());
    rows = new Rows(clock);
    await startScheduler(clock);
    await expect.poll(() => peers.length, SOON).toBe(1);
    const minute = 60_000;
    rows.want(1, 5 * minute);
    await hint();
    await expect.poll(inRedis, SOON).toEqual(wanted());
    await redis.kill();
    for (let n = 2; n <= 60; n += 1) {
      rows.want(n, n % 10 === 0 ? 180 * minute : minute);
      clock.advance(minute);
      await new Promise((resolve) => setImmediate(resolve));
    }
    clock.advance(minute);
    const isDue = (id: string) => Date.parse(rows.pending.get(id)?.due_at ?? '') <= clock.now();
    const due = wanted().filter((id) => isDue(id));
    const rest = wanted().filter((id) => !isDue(id));
    expect([due.length, rest.length, rows.fired]).toEqual([54, 6, []]);

    rows.allDueAtOnce = true;
    await redis.start();
    await expect.poll(() => rows.fired.toSorted(), SOON).toEqual(due);
    await expect
      .poll(() => {
        clock.advance(minute);
        return inRedis();
      }, SOON)
      .toEqual(rest);
    expect([rows.outbox, rows.fired.length]).toEqual([[], due.length]);
  }, 90_000);
});
