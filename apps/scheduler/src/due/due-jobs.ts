import { InjectQueue } from '@nestjs/bullmq';
import { Inject, Injectable } from '@nestjs/common';
import { Queue, type JobsOptions } from 'bullmq';

import type { JobQueue, WantedJob } from '#libs/protocol';
import { DUE_JOB, QUEUES } from '#libs/queues';
import type { Clock, Logger } from '#libs/service';

import { CLOCK, LOGGER } from '../settings/tokens.js';

/** Jobs in one command to Redis (PERFORMANCE: 100 to 1000). */
const BULK = 500;

/**
 * A job goes when it is done or has failed for good: a finished one that stays would swallow the next of its id
 * (EXECUTIONS H26). What fails is tried again, and in the end made anew from its row.
 */
const OPTIONS: JobsOptions = {
  removeOnComplete: true,
  removeOnFail: true,
  attempts: 20,
  backoff: { type: 'fixed', delay: 1000 },
};

/** The queues of all that comes due, as the relay and the reconciler fill them. */
@Injectable()
export class DueJobs {
  private readonly queues: Record<JobQueue, Queue>;

  constructor(
    @InjectQueue(QUEUES.reminders) reminders: Queue,
    @InjectQueue(QUEUES.broadcasts) broadcasts: Queue,
    @InjectQueue(QUEUES.deliveries) deliveries: Queue,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.queues = { reminders, broadcasts, deliveries };
    // Without a listener each failed connect is a stack trace on the terminal.
    for (const queue of Object.values(this.queues))
      queue.on('error', (error) => logger.debug({ err: error }, 'Redis: a queue waits'));
  }

  queue(name: JobQueue): Queue {
    return this.queues[name];
  }

  /** Adds these jobs; one whose id is there already is left as it is. */
  async add(jobs: readonly WantedJob[]): Promise<void> {
    const now = this.clock.now();
    for (const [name, queue] of Object.entries(this.queues)) {
      const of = jobs.filter((job) => job.queue === name);
      for (let from = 0; from < of.length; from += BULK) {
        await queue.addBulk(
          of.slice(from, from + BULK).map((job) => ({
            name: DUE_JOB,
            data: job.data,
            opts: { ...OPTIONS, jobId: job.job_id, ...delayOf(job, now) },
          })),
        );
      }
    }
  }
}

function delayOf(job: WantedJob, now: number): { delay?: number } {
  if (job.due_at === null) return {};
  return { delay: Math.max(0, Date.parse(job.due_at) - now) };
}
