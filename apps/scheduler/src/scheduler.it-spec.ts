import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Queue } from 'bullmq';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { RpcServer, socketPath, type CallContext } from '#libs/ipc';
import {
  reminderJobId,
  type BrokerSchedulerApi,
  type JobOutcome,
  type ReminderJob,
} from '#libs/protocol';
import { DUE_JOB, MAINTENANCE_EVERY_MS, QUEUE_PREFIX, QUEUES, redisOptions } from '#libs/queues';

import { PrivateRedis } from '../../../test/processes/private-redis.js';
import { verifies } from '../../../test/requirements/verifies.js';

const BUILT_MAIN = path.resolve('dist/apps/scheduler/src/main.js');

describe(verifies('3.6', 'P14', 'P15', 'P28') + 'the scheduler as a process', () => {
  let runtimeDir: string;
  let redis: PrivateRedis;
  let queue: Queue;
  let giveUp: AbortController;
  const ends: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    runtimeDir = mkdtempSync(path.join(tmpdir(), 'hive-scheduler-'));
    redis = await PrivateRedis.start();
    giveUp = new AbortController();
    queue = new Queue(QUEUES.maintenance, {
      connection: {
        ...redisOptions(redis.url),
        retryStrategy: () => (giveUp.signal.aborted ? null : 50),
      },
      prefix: QUEUE_PREFIX,
    });
    queue.on('error', () => {});
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    giveUp.abort();
    await queue.close();
    await redis.stop();
    rmSync(runtimeDir, { recursive: true, force: true });
  });

  async function startBroker(handlers: Partial<BrokerHandlers> = {}): Promise<BrokerCalls> {
    const calls: BrokerCalls = { sweep_leases: 0, check_wakes: 0 };
    const file = socketPath(runtimeDir, 'broker', 'scheduler');
    mkdirSync(path.dirname(file), { recursive: true });
    const server = new RpcServer<BrokerSchedulerApi>({
      path: file,
      onBug: (error) => {
        throw error;
      },
      handlers: {
        take_jobs: () => ({ jobs: [], through: 0, more: false }),
        jobs_added: () => ({ removed: 0 }),
        wanted_jobs: () => ({ jobs: [] }),
        still_wanted: () => ({ job_ids: [] }),
        fire_reminders: ({ jobs }, context) =>
          handlers.fire_reminders?.(jobs, context) ?? { outcomes: [] },
        deliver_chunks: () => ({ outcomes: [] }),
        expire_questions: () => ({ outcomes: [] }),
        sweep_retention: () => ({ messages: 0, questions: 0, reminders: 0, more: false }),
        sweep_leases: (_params, context) => {
          calls.sweep_leases += 1;
          return handlers.sweep_leases?.(context) ?? { expired: 0, returned: 0 };
        },
        check_wakes: (_params, context) => {
          calls.check_wakes += 1;
          return handlers.check_wakes?.(context) ?? { queued: 0, woken: 0, stuck: 0 };
        },
      },
    });
    await server.listen();
    ends.push(() => server.close());
    return calls;
  }

  async function startScheduler(url = redis.url): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['--enable-source-maps', BUILT_MAIN], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { HIVE_RUNTIME_DIR: runtimeDir, HIVE_REDIS_URL: url, PATH: process.env['PATH'] },
    });
    ends.push(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    });
    const [message] = (await once(child, 'message')) as [{ type: string }];
    expect(message.type).toBe('ready');
    return child;
  }

  async function scheduled(): Promise<Record<string, number | undefined>> {
    const found = await queue.getJobSchedulers();
    return Object.fromEntries(found.map((one) => [one.key, one.every]));
  }

  it('carries out every maintenance job at the broker', async () => {
    const calls = await startBroker();
    await startScheduler();
    await expect.poll(() => calls.sweep_leases, { timeout: 10_000 }).toBeGreaterThan(0);
    await expect.poll(() => calls.check_wakes, { timeout: 10_000 }).toBeGreaterThan(0);
    await expect.poll(scheduled, { timeout: 10_000 }).toEqual(MAINTENANCE_EVERY_MS);
  });

  it('is ready and stops with 0 while neither Redis nor the broker is there', async () => {
    await redis.kill();
    const child = await startScheduler();
    expect(await exitOf(child, () => child.kill('SIGTERM'))).toBe(0);
  });

  it('stops with 0 after Redis went away', async () => {
    const child = await startScheduler();
    await expect.poll(() => queue.getJobSchedulersCount()).toBe(3);
    await redis.kill();
    expect(await exitOf(child, () => child.kill('SIGTERM'))).toBe(0);
  });

  it('lets a running job end when it is told to stop', async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<{ expired: number; returned: number }>();
    await startBroker({
      sweep_leases: () => {
        asked.resolve();
        return answer.promise;
      },
    });
    const child = await startScheduler();
    await asked.promise;
    const code = exitOf(child, () => child.kill('SIGTERM'));
    await expect.poll(async () => (await queue.getWorkers()).length).toBe(0);
    answer.resolve({ expired: 0, returned: 0 });
    expect(await code).toBe(0);
    const done = await queue.getCompleted();
    expect(done.map((job) => job.name)).toContain('sweep_leases');
  });

  it('puts a job that does not end back into the queue and exits with 0', async () => {
    const asked = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    await startBroker({
      sweep_leases: (context) => {
        context.signal.addEventListener('abort', () => cancelled.resolve(), { once: true });
        asked.resolve();
        return new Promise(() => {});
      },
    });
    const child = await startScheduler();
    await asked.promise;
    expect(await exitOf(child, () => child.kill('SIGTERM'))).toBe(0);
    await cancelled.promise;
    const waiting = await queue.getJobs(['delayed', 'wait']);
    const handedBack = waiting.find((job) => job.name === 'sweep_leases' && job.attemptsMade === 1);
    expect(handedBack?.failedReason).toBe('aborted: the service stops');
    expect(await queue.getActiveCount()).toBe(0);
  }, 40_000);

  describe('in the middle of a due job', () => {
    const data: ReminderJob = { id: 'r1', occurrence: 1, attempt: 0 };
    const job_id = reminderJobId(data);
    let reminders: Queue;
    beforeEach(async () => {
      reminders = new Queue(QUEUES.reminders, {
        connection: redisOptions(redis.url),
        prefix: QUEUE_PREFIX,
      });
      await reminders.add(DUE_JOB, data, { jobId: job_id, attempts: 20, removeOnComplete: true });
      ends.push(() => reminders.close());
    });

    it('lets the broker carry it out, and does not leave it behind', async () => {
      const asked = Promise.withResolvers<readonly ReminderJob[]>();
      const answer = Promise.withResolvers<{ outcomes: JobOutcome[] }>();
      await startBroker({
        fire_reminders: (jobs) => {
          asked.resolve(jobs);
          return answer.promise;
        },
      });
      const child = await startScheduler();
      expect(await asked.promise).toEqual([data]);
      const code = exitOf(child, () => child.kill('SIGTERM'));
      await expect.poll(async () => (await reminders.getWorkers()).length).toBe(0);
      answer.resolve({ outcomes: [{ job_id, outcome: 'done' }] });
      expect(await code).toBe(0);
      expect(await reminders.getJob(job_id)).toBeUndefined();
    });

    it('returns it when the broker does not answer within the bound, for the next scheduler', async () => {
      const asked = Promise.withResolvers<void>();
      let answering = false;
      await startBroker({
        fire_reminders: (jobs) => {
          asked.resolve();
          if (!answering) return new Promise(() => {});
          return { outcomes: jobs.map((job) => ({ job_id: reminderJobId(job), outcome: 'done' })) };
        },
      });
      const child = await startScheduler();
      await asked.promise;
      expect(await exitOf(child, () => child.kill('SIGTERM'))).toBe(0);
      expect(await reminders.getActiveCount()).toBe(0);
      expect((await reminders.getJobs(['delayed', 'wait'])).map((job) => job.id)).toEqual([job_id]);
      answering = true;
      await startScheduler();
      await expect
        .poll(async () => (await reminders.getJob(job_id)) === undefined, { timeout: 10_000 })
        .toBe(true);
    }, 40_000);

    it('ends at once on a second signal, and the job is taken again as stalled', async () => {
      const asked = Promise.withResolvers<void>();
      await startBroker({
        fire_reminders: () => {
          asked.resolve();
          return new Promise(() => {});
        },
      });
      const child = await startScheduler();
      await asked.promise;
      child.kill('SIGTERM');
      await expect.poll(async () => (await reminders.getWorkers()).length).toBe(0);
      expect(await exitOf(child, () => child.kill('SIGTERM'))).toBe(1);
      expect((await reminders.getJob(job_id))?.id).toBe(job_id);
    });
  });

  it('stops when the supervisor is gone', async () => {
    const child = await startScheduler();
    expect(await exitOf(child, () => child.disconnect())).toBe(0);
  });

  it('puts its jobs back after Redis was killed and lost everything', async () => {
    const calls = await startBroker();
    await startScheduler();
    await expect.poll(() => calls.sweep_leases, { timeout: 10_000 }).toBeGreaterThan(0);
    await redis.kill();
    await redis.start();
    const before = calls.sweep_leases;
    await expect.poll(() => calls.sweep_leases, { timeout: 20_000 }).toBeGreaterThan(before);
    await expect.poll(scheduled, { timeout: 70_000 }).toEqual(MAINTENANCE_EVERY_MS);
  }, 120_000);

  it('says every bad setting in one message', async () => {
    const child = spawn(process.execPath, [BUILT_MAIN], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { HIVE_LOG_LEVEL: 'loud' },
    });
    const [message] = (await once(child, 'message')) as [{ type: string; message: string }];
    expect(message.type).toBe('failed');
    for (const key of ['HIVE_RUNTIME_DIR', 'HIVE_REDIS_URL', 'HIVE_LOG_LEVEL="loud"']) {
      expect(message.message).toContain(key);
    }
  });
});

async function exitOf(child: ChildProcess, ask: () => void): Promise<unknown> {
  const exit = once(child, 'exit');
  ask();
  return (await exit)[0];
}

interface BrokerCalls {
  sweep_leases: number;
  check_wakes: number;
}
interface BrokerHandlers {
  sweep_leases(
    context: CallContext,
  ): BrokerSchedulerApi['sweep_leases'][1] | Promise<BrokerSchedulerApi['sweep_leases'][1]>;
  check_wakes(context: CallContext): BrokerSchedulerApi['check_wakes'][1];
  fire_reminders(
    jobs: readonly ReminderJob[],
    context: CallContext,
  ): { outcomes: JobOutcome[] } | Promise<{ outcomes: JobOutcome[] }>;
}
