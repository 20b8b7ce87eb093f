import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';

import { HiveError } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { BrokerClient } from '../broker/broker.client.js';
import { CLOCK, LOGGER } from '../settings/tokens.js';
import { DueJobs } from './due-jobs.js';

/** How often the broker is asked for jobs of which no hint came, in milliseconds. */
const ASK_EVERY_MS = 1000;
const AT_ONCE = 1000;

/**
 * Brings the jobs that the broker's rows ask for to Redis: when the broker says that some wait, at
 * each connect, and every second. The
 * broker keeps each until Redis has it, so nothing is lost on the way, and a job that is added twice is one.
 */
@Injectable()
export class JobRelay implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stopping = new AbortController();
  private takeBack: () => void = () => {};
  private running: Promise<void> | undefined;
  private again = false;

  constructor(
    private readonly broker: BrokerClient,
    private readonly jobs: DueJobs,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    broker.onJobsWaiting(() => void this.run());
    broker.onConnected(() => void this.run());
  }

  onApplicationBootstrap(): void {
    this.askLater();
  }

  onModuleDestroy(): void {
    this.takeBack();
    this.stopping.abort();
  }

  /** Brings over what waits; one run at a time, and another one when something came meanwhile. */
  run(): Promise<void> {
    this.again = true;
    this.running ??= this.work()
      .catch((error: unknown) => this.report(error))
      .finally(() => {
        this.running = undefined;
      });
    return this.running;
  }

  private askLater(): void {
    this.takeBack = this.clock.after(ASK_EVERY_MS, () => {
      void this.run();
      this.askLater();
    });
  }

  private async work(): Promise<void> {
    const { signal } = this.stopping;
    while (this.again && !signal.aborted) {
      this.again = false;
      const { jobs, through, more } = await this.broker.call(
        'take_jobs',
        { limit: AT_ONCE },
        signal,
      );
      if (jobs.length === 0) continue;
      await this.jobs.add(jobs);
      await this.broker.call('jobs_added', { through }, signal);
      if (more) this.again = true;
    }
  }

  private report(error: unknown): void {
    const isAway = error instanceof HiveError && ['unavailable', 'cancelled'].includes(error.code);
    if (!isAway) this.logger.warn({ err: error }, 'jobs wait for Redis; they are tried again');
  }
}
