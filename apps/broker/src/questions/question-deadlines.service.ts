import { Inject, Injectable } from '@nestjs/common';

import {
  deadlineJobId,
  formatId,
  isoTime,
  LIMITS,
  parseId,
  type DeadlineJob,
  type JobOutcome,
  type WantedJob,
} from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { CLOCK, LOGGER } from '../broker.options.js';
import { Jobs, type JobSource } from '../jobs/jobs.service.js';
import { Writer } from '../storage/writer.service.js';
import { Sweeper } from '../turns/sweeper.service.js';
import { QuestionOutcomes } from './question-outcomes.service.js';
import { QuestionsRepository, type DeadlinePlace } from './questions.repository.js';

/** Questions that one transaction of the sweep expires at most. */
const BATCH = 50;
/** Only deadlines within this time have a job in Redis. */
const WINDOW_MS = LIMITS.job_window_seconds * 1000;

/**
 * Lets questions expire (PRODUCT 2.1): never before the wall clock says so, once each. A job of the scheduler asks for it
 * in time; the sweep of each second, which goes by the rows alone, covers what no job came for.
 */
@Injectable()
export class QuestionDeadlines implements JobSource {
  constructor(
    private readonly writer: Writer,
    private readonly rows: QuestionsRepository,
    private readonly outcomes: QuestionOutcomes,
    private readonly jobs: Jobs,
    sweeper: Sweeper,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    jobs.register('deliveries', this);
    sweeper.onTick(() => this.sweep());
  }

  /** Inside a request: a question with this deadline was asked. */
  watch(id: number, deadline_at: number | null): void {
    if (deadline_at !== null && deadline_at <= this.clock.now() + WINDOW_MS)
      this.jobs.want(jobOf({ id, deadline_at }));
  }

  /** JobSource: the deadlines of the next minutes, in their order. */
  page(after: string | undefined, limit: number): { jobs: WantedJob[]; next?: string } {
    const until = this.clock.now() + WINDOW_MS;
    const places = this.rows.deadlines(placeOf(after), until, limit);
    const last = places.length === limit ? places.at(-1) : undefined;
    return {
      jobs: places.map(jobOf),
      ...(last ? { next: `${last.deadline_at}.${last.id}` } : {}),
    };
  }

  /** JobSource: those whose question is open and has a deadline within the window. */
  wants(jobIds: readonly string[]): string[] {
    const until = this.clock.now() + WINDOW_MS;
    return jobIds.filter((jobId) => {
      const id = /^ask-(.+)$/.exec(jobId)?.[1];
      const question = id === undefined ? undefined : this.rows.find(parseId('q', id) ?? 0);
      return question?.state === 'open' && (question.deadline_at ?? Infinity) <= until;
    });
  }

  /** These jobs came due, in one transaction. A job for a question that is closed, or never was, is `gone`. */
  async expire(jobs: readonly DeadlineJob[]): Promise<{ outcomes: JobOutcome[] }> {
    const outcomes = await this.writer.submit(() => jobs.map((job) => this.expireOne(job)));
    return { outcomes };
  }

  private expireOne(job: DeadlineJob): JobOutcome {
    const job_id = deadlineJobId(job);
    const question = this.rows.find(parseId('q', job.id) ?? 0);
    if (question?.state !== 'open' || question.deadline_at === null)
      return { job_id, outcome: 'gone' };
    const again_in_ms = question.deadline_at - this.clock.now();
    if (again_in_ms > 0) return { job_id, outcome: 'early', again_in_ms };
    this.outcomes.expire(question);
    return { job_id, outcome: 'done' };
  }

  private sweep(): void {
    if (!this.rows.hasDue(this.clock.now())) return;
    this.expireDue().catch((error: unknown) => {
      this.logger.error({ err: error }, 'questions did not expire; the next sweep tries again');
    });
  }

  private async expireDue(): Promise<void> {
    let left = true;
    while (left) {
      left = await this.writer.submit(() => {
        const due = this.rows.due(this.clock.now(), BATCH);
        for (const question of due) this.outcomes.expire(question);
        return due.length === BATCH;
      });
    }
  }
}

function jobOf({ id, deadline_at }: DeadlinePlace): WantedJob {
  const data = { id: formatId('q', id) };
  const due_at = isoTime(deadline_at);
  return { queue: 'deliveries', job_id: deadlineJobId(data), due_at, data };
}

/** The place that a cursor names; before the first when it names none. */
function placeOf(cursor: string | undefined): DeadlinePlace {
  const [deadline_at = 0, id = 0] = /^\d{1,15}\.\d{1,15}$/.test(cursor ?? '')
    ? (cursor ?? '').split('.').map(Number)
    : [];
  return { deadline_at, id };
}
