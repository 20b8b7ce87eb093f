import { Injectable } from '@nestjs/common';

import type { BrokerJobsApi, JobQueue, WantedJob } from '#libs/protocol';

import { Writer } from '../storage/writer.service.js';
import { JobsRepository } from './jobs.repository.js';
import { SchedulerLinks } from './scheduler-links.js';

/** What the rows of one queue ask for; registered by the concern that owns them. */
export interface JobSource {
  /** Jobs that the rows ask for now, after the cursor, ordered by it. */
  page(after: string | undefined, limit: number): { jobs: WantedJob[]; next?: string };
  /** Of these job ids of its queue, those that the rows still ask for. */
  wants(jobIds: readonly string[]): string[];
}

type Answer<K extends keyof BrokerJobsApi> = BrokerJobsApi[K][1];

/**
 * Jobs that may wait for the scheduler. Past it the oldest are given up: the reconciler makes them again from the rows
 * that ask for them.
 */
const MOST_WAITING = 50_000;

/** Which jobs Redis has to have, and which of them it has not learnt yet (ARCHITECTURE "The outbox"). */
@Injectable()
export class Jobs {
  private readonly sources = new Map<JobQueue, JobSource>();
  /** Rows were added by the transaction that runs now. */
  private added = false;

  constructor(
    private readonly writer: Writer,
    private readonly rows: JobsRepository,
    private readonly links: SchedulerLinks,
  ) {
    writer.onRollback(() => {
      this.added = false;
    });
  }

  register(queue: JobQueue, source: JobSource): void {
    this.sources.set(queue, source);
  }

  /** Inside a request: Redis has to learn of this job; the scheduler is told after the commit. */
  want(job: WantedJob): void {
    const id = this.rows.insert(job);
    if (this.added) return;
    this.added = true;
    // Ids count up by one, so the id tells how many wait at most.
    const { first } = this.rows.range();
    if (id - first >= MOST_WAITING) this.rows.removeThrough(id - MOST_WAITING / 2);
    this.writer.afterCommit(() => {
      this.added = false;
      this.links.jobsWaiting();
    });
  }

  take(limit: number): Answer<'take_jobs'> {
    const found = this.rows.first(limit + 1);
    const taken = found.slice(0, limit);
    return {
      jobs: taken.map(({ job }) => job),
      through: taken.at(-1)?.id ?? 0,
      more: found.length > limit,
    };
  }

  async haveBeenAdded(through: number): Promise<Answer<'jobs_added'>> {
    if (this.rows.range().first > through) return { removed: 0 };
    return this.writer.submit(() => ({ removed: this.rows.removeThrough(through) }));
  }

  wanted(queue: JobQueue, after: string | undefined, limit: number): Answer<'wanted_jobs'> {
    return this.sources.get(queue)?.page(after, limit) ?? { jobs: [] };
  }

  /** Each source knows its own ids by their form and passes over those of others. */
  stillWanted(jobIds: readonly string[]): Answer<'still_wanted'> {
    return { job_ids: [...this.sources.values()].flatMap((source) => source.wants(jobIds)) };
  }
}
