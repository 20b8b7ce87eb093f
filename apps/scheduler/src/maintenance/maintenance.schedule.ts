import { InjectQueue } from '@nestjs/bullmq';
import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { Queue } from 'bullmq';

import { MAINTENANCE_EVERY_MS, QUEUES, type MaintenanceJobs } from '#libs/queues';
import type { Clock, Logger } from '#libs/service';

import { CLOCK, LOGGER } from '../settings/tokens.js';

/** How often the job schedulers are looked after, in milliseconds. */
export const CHECK_SCHEDULERS_EVERY_MS = 60_000;
/** How often they are counted, in milliseconds: a FLUSHALL closes no connection. */
export const COUNT_SCHEDULERS_EVERY_MS = 1000;
const NAMES = Object.keys(MAINTENANCE_EVERY_MS) as (keyof MaintenanceJobs)[];
/** Results and failures of each queue that stay to be looked at. */
const KEPT_JOBS = 100;

/**
 * Keeps a job scheduler in Redis for every maintenance job: puts back what is missing after each connect, every minute,
 * and within a second when Redis was wiped. One that is there is left alone, so that the check never moves a job that waits.
 */
@Injectable()
export class MaintenanceSchedule implements OnApplicationBootstrap, OnModuleDestroy {
  private takeBack: (() => void) | undefined;
  private stopped = false;
  private looks = 0;
  private counting = false;
  private running: Promise<void> | undefined;

  constructor(
    @InjectQueue(QUEUES.maintenance) private readonly queue: Queue,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.queue.on('error', (error) => this.logger.debug({ err: error }, 'Redis: the queue waits'));
    this.queue.getBackend().on('ready', () => void this.check());
    this.lookLater();
  }

  onModuleDestroy(): void {
    this.stopped = true;
    this.takeBack?.();
  }

  /** Puts back the job schedulers that are missing; one run at a time. */
  check(): Promise<void> {
    this.running ??= this.putBackMissing()
      .catch((error: unknown) => this.logger.warn({ err: error }, 'cannot look after the jobs'))
      .finally(() => {
        this.running = undefined;
      });
    return this.running;
  }

  private lookLater(): void {
    this.takeBack = this.clock.after(COUNT_SCHEDULERS_EVERY_MS, () => {
      this.looks += 1;
      const isTime = this.looks % (CHECK_SCHEDULERS_EVERY_MS / COUNT_SCHEDULERS_EVERY_MS) === 0;
      void (isTime ? this.check() : this.count());
      this.lookLater();
    });
  }

  private async count(): Promise<void> {
    if (this.counting || this.running) return;
    this.counting = true;
    try {
      if ((await this.queue.getJobSchedulersCount()) < NAMES.length) await this.check();
    } catch (error) {
      this.logger.debug({ err: error }, 'Redis: the job schedulers were not counted');
    } finally {
      this.counting = false;
    }
  }

  private async putBackMissing(): Promise<void> {
    for (const name of NAMES) {
      if (this.stopped) return;
      const every = MAINTENANCE_EVERY_MS[name];
      const found = await this.queue.getJobScheduler(name);
      const late = found?.next !== undefined && found.next + every < this.clock.now();
      if (found?.every === every && !late) continue;
      await this.queue.upsertJobScheduler(
        name,
        { every },
        {
          name,
          data: {},
          opts: {
            attempts: 3,
            backoff: { type: 'fixed', delay: 1000 },
            removeOnComplete: { count: KEPT_JOBS },
            removeOnFail: { count: KEPT_JOBS },
          },
        },
      );
      this.logger.info(`${name} is scheduled every ${every} ms`);
    }
  }
}
