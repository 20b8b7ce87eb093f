import { Inject, Injectable } from '@nestjs/common';

import { LIMITS, parseId, type WantedJob } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { Jobs, type JobSource } from '../jobs/jobs.service.js';
import { pageOf } from '../views/page.js';
import { jobIdOf, jobOf } from './reminder.js';
import { RemindersRepository } from './reminders.repository.js';

const JOB_WINDOW_MS = LIMITS.job_window_seconds * 1000;

/** Tells the reconciler which jobs the rows of reminders ask for. */
@Injectable()
export class ReminderJobs implements JobSource {
  constructor(
    jobs: Jobs,
    private readonly rows: RemindersRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    jobs.register('reminders', this);
  }

  /** Pending reminders that are due within the window, in the order of their times. */
  page(after: string | undefined, limit: number): { jobs: WantedJob[]; next?: string } {
    const [time = 0, id = 0] = (after ?? '').split('.').map(Number);
    const until = this.clock.now() + JOB_WINDOW_MS;
    const rows = this.rows.pendingWithin(
      { next_attempt_at: time || 0, id: id || 0 },
      until,
      limit + 1,
    );
    const { page, last } = pageOf(rows, limit);
    return {
      jobs: page.map(jobOf),
      ...(last ? { next: `${last.next_attempt_at}.${last.id}` } : {}),
    };
  }

  /** Those of which the reminder is pending with this occurrence and attempt, and due within the window. */
  wants(jobIds: readonly string[]): string[] {
    const until = this.clock.now() + JOB_WINDOW_MS;
    return jobIds.filter((jobId) => {
      const row = this.rows.find(parseId('r', jobId.split('-')[1] ?? '') ?? 0);
      return row?.state === 'pending' && row.next_attempt_at <= until && jobIdOf(row) === jobId;
    });
  }
}
