import { BullModule, Processor } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Queue } from 'bullmq';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  DrainingWorkerHost,
  MAINTENANCE_EVERY_MS,
  MissingJobHandlerError,
  QUEUE_PREFIX,
  QUEUES,
  redisOptions,
  type JobHandlers,
  type MaintenanceJobs,
} from '#libs/queues';
import { createLogger, ManualClock } from '#libs/service';

import { PrivateRedis } from '../../../../test/processes/private-redis.js';
import { verifies } from '../../../../test/requirements/verifies.js';
import { SchedulerModule } from '../scheduler.module.js';
import { CHECK_SCHEDULERS_EVERY_MS, COUNT_SCHEDULERS_EVERY_MS } from './maintenance.schedule.js';

describe(verifies('P15') + 'the maintenance schedule', () => {
  let redis: PrivateRedis;
  let queue: Queue;
  let clock: ManualClock;
  let stop: () => Promise<void>;

  beforeEach(async () => {
    redis = await PrivateRedis.start();
    queue = new Queue(QUEUES.maintenance, {
      connection: redisOptions(redis.url),
      prefix: QUEUE_PREFIX,
    });
    clock = new ManualClock(Date.now());
    const logger = createLogger('scheduler', 'silent');
    const env = {
      HIVE_RUNTIME_DIR: '/nonexistent',
      HIVE_REDIS_URL: redis.url,
      HIVE_LOG_LEVEL: 'silent',
    };
    const app = await NestFactory.createApplicationContext(
      SchedulerModule.with({ env, logger, clock }),
      { logger: false, abortOnError: false },
    );
    stop = () => app.close();
    await allScheduled();
  });
  afterEach(async () => {
    await stop();
    await queue.close();
    await redis.stop();
  });

  const allScheduled = () => expect.poll(() => scheduled()).toEqual(MAINTENANCE_EVERY_MS);

  async function scheduled(): Promise<Record<string, number | undefined>> {
    const found = await queue.getJobSchedulers();
    return Object.fromEntries(found.map((one) => [one.key, one.every]));
  }

  it('is put back within a second of a FLUSHALL', async () => {
    const client = redis.client();
    await client.flushall();
    client.disconnect();
    expect(await scheduled()).toEqual({});
    clock.advance(COUNT_SCHEDULERS_EVERY_MS);
    await allScheduled();
  });

  it('leaves a schedule alone that is there', async () => {
    const before = await queue.getJobSchedulers();
    clock.advance(CHECK_SCHEDULERS_EVERY_MS);
    await queue.removeJobScheduler('sweep_leases');
    clock.advance(CHECK_SCHEDULERS_EVERY_MS);
    await allScheduled();
    const next = (all: typeof before) => all.find((one) => one.key === 'check_wakes')?.next;
    expect(next(await queue.getJobSchedulers())).toBe(next(before));
  });

  it('makes one again whose next job is overdue by a whole period', async () => {
    const every = MAINTENANCE_EVERY_MS.check_wakes;
    const client = redis.client();
    const next = (await queue.getJobScheduler('check_wakes'))?.next ?? 0;
    await client.del(`${QUEUE_PREFIX}:${QUEUES.maintenance}:repeat:check_wakes:${next}`);
    client.disconnect();
    clock.jump(next - clock.now() + every + 1 - CHECK_SCHEDULERS_EVERY_MS);
    clock.advance(CHECK_SCHEDULERS_EVERY_MS);
    await expect
      .poll(async () => (await queue.getDelayed()).map((job) => job.name))
      .toContain('check_wakes');
  });
});

describe('a service whose queue has a job without a handler', () => {
  @Processor(QUEUES.maintenance)
  class Forgetful extends DrainingWorkerHost<MaintenanceJobs> {
    protected override readonly jobNames = ['sweep_leases', 'check_wakes'] as const;
    protected override readonly handlers = {
      sweep_leases: () => Promise.resolve(),
    } as unknown as JobHandlers<MaintenanceJobs>;
  }

  it('refuses to start and says which job it is', async () => {
    const redis = await PrivateRedis.start();
    const forgetful = new Forgetful(new ManualClock(), createLogger('test', 'silent'));
    @Module({
      imports: [
        BullModule.forRoot({ connection: { path: redis.socket, retryStrategy: () => null } }),
        BullModule.registerQueue({ name: QUEUES.maintenance }),
      ],
      providers: [{ provide: Forgetful, useValue: forgetful }],
    })
    class BrokenModule {}

    const booted = NestFactory.createApplicationContext(BrokenModule, {
      logger: false,
      abortOnError: false,
    });
    await expect(booted).rejects.toThrow(MissingJobHandlerError);
    await expect(booted).rejects.toThrow('Forgetful has no handler for check_wakes');
    await forgetful.worker.close();
    await redis.stop();
  });
});
