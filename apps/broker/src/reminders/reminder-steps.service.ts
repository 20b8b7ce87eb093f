import { Inject, Injectable } from '@nestjs/common';

import { LIMITS, type ReminderState } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { Jobs } from '../jobs/jobs.service.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import { ReminderCounts } from './reminder-counts.js';
import { jobOf, type NewReminder, type ReminderRecord } from './reminder.js';
import { RemindersRepository } from './reminders.repository.js';

const JOB_WINDOW_MS = LIMITS.job_window_seconds * 1000;

/**
 * The states of a reminder and the steps between them: each one row write inside the caller's transaction, with its
 * counts, its events and the job that it needs.
 */
@Injectable()
export class ReminderSteps {
  constructor(
    private readonly rows: RemindersRepository,
    private readonly counts: ReminderCounts,
    private readonly jobs: Jobs,
    private readonly changes: ChangeLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** A new one, pending. Returns its number. */
  create(reminder: NewReminder): number {
    const id = this.rows.insert(reminder);
    this.moved(id, reminder.owner, undefined, 'pending');
    this.want({ id, occurrence: 1, attempt_count: 0, next_attempt_at: reminder.due_at });
    return id;
  }

  /** This occurrence has its message; `next`: when it is due again, undefined never. */
  delivered(row: ReminderRecord, message: number, next: number | undefined): void {
    const now = this.clock.now();
    this.rows.addMessage(row, message, now);
    this.counts.delivered(row.owner);
    if (next === undefined) {
      this.rows.finish(row.id, now);
      this.moved(row.id, row.owner, row.state, 'delivered');
      return;
    }
    this.rows.advance(row.id, next, now);
    this.changed(row.id, row.owner);
    const { id, occurrence } = row;
    this.want({ id, occurrence: occurrence + 1, attempt_count: 0, next_attempt_at: next });
  }

  /** A delivery failed; pending ones are tried again. */
  failed(
    row: ReminderRecord,
    to: Pick<ReminderRecord, 'attempt_count' | 'last_error' | 'next_attempt_at'> & {
      state: 'pending' | 'failed';
    },
  ): void {
    const now = this.clock.now();
    const ended_at = to.state === 'failed' ? now : null;
    this.rows.recordFailure({ id: row.id, ...to, last_attempt_at: now, ended_at });
    this.moved(row.id, row.owner, row.state, to.state);
    if (to.state === 'pending') this.want({ ...row, ...to });
  }

  /** It rests, or is over. */
  enter(row: ReminderRecord, state: 'paused' | 'cancelled'): void {
    this.rows.setState(row.id, state, state === 'cancelled' ? this.clock.now() : null);
    this.moved(row.id, row.owner, row.state, state);
  }

  /** Pending again, its attempts counted afresh; tried at `at`. */
  restart(row: ReminderRecord, at: number): void {
    this.rows.restart(row.id, at);
    this.moved(row.id, row.owner, row.state, 'pending');
    this.want({ ...row, attempt_count: 0, next_attempt_at: at });
  }

  private moved(
    id: number,
    owner: number,
    from: ReminderState | undefined,
    to: ReminderState,
  ): void {
    if (from !== to) this.counts.move(owner, from, to);
    if (from === 'failed' || to === 'failed') this.changes.needsYouChanged();
    this.changed(id, owner);
  }

  private changed(id: number, owner: number): void {
    this.changes.reminderChanged(id);
    this.changes.agentChanged(owner);
  }

  /** Only what is due soon needs a job; the reconciler finds the rest when its time comes (P22). */
  private want(row: Parameters<typeof jobOf>[0]): void {
    if (row.next_attempt_at - this.clock.now() <= JOB_WINDOW_MS) this.jobs.want(jobOf(row));
  }
}
