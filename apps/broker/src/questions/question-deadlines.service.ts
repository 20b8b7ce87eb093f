import { Inject, Injectable } from '@nestjs/common';

import { deadlineJobId, parseId, type DeadlineJob, type JobOutcome } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { CLOCK, LOGGER } from '../broker.options.js';
import { Writer } from '../storage/writer.service.js';
import { Sweeper } from '../turns/sweeper.service.js';
import { QuestionOutcomes } from './question-outcomes.service.js';
import { QuestionsRepository } from './questions.repository.js';

/** Questions that one transaction of the sweep expires at most. */
const BATCH = 50;

/**
 * Lets questions expire (PRODUCT 2.1): never before the wall clock says so, once each. A job of the scheduler asks for it
 * in time; the sweep of each second, which goes by the rows alone, covers what no job came for.
 */
@Injectable()
export class QuestionDeadlines {
  constructor(
    private readonly writer: Writer,
    private readonly rows: QuestionsRepository,
    private readonly outcomes: QuestionOutcomes,
    sweeper: Sweeper,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    sweeper.onTick(() => this.sweep());
  }

  /** Inside a request: a question with this deadline was asked. */
  watch(_id: number, _deadline: number | null): void {}

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
