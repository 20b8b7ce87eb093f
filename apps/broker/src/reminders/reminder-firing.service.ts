import { Inject, Injectable } from '@nestjs/common';

import {
  clip,
  formatId,
  HiveError,
  isoTime,
  LIMITS,
  parseId,
  reminderJobId,
  type JobOutcome,
  type ReminderJob,
  type ReminderNote,
} from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { CLOCK, LOGGER } from '../broker.options.js';
import { OutgoingMessages } from '../messages/outgoing.service.js';
import { REMINDER_SENDER } from '../messages/sender.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import type { Agent } from '../registry/agent.js';
import { Writer } from '../storage/writer.service.js';
import { backOffMs } from '../turns/back-off.js';
import { Sweeper } from '../turns/sweeper.service.js';
import { ReminderSteps } from './reminder-steps.service.js';
import { jobIdOf, type ReminderAttempt, type ReminderRecord } from './reminder.js';
import { RemindersRepository } from './reminders.repository.js';
import { standingAt, type Standing } from './schedule.js';

/** Reminders in one transaction at most. */
const BATCH = 500;
/** Time that working out due times may hold the event loop, in milliseconds. */
const HOLD_MS = 5;
/** Characters of a failure that are kept. */
const ERROR_CHARS = 500;

/** Where a repeating reminder stands, and of which due time. */
type Plan = Standing & { due_at: number };

/** Job ids of the attempts that a call carried out. */
interface Fired {
  done: Set<string>;
  failed: Set<string>;
}

/**
 * Delivers reminders that are due (P22). Whatever asks, a job or the sweep, everything that is due now is delivered, by
 * what the rows say at that moment: a job of another time changes nothing (EXECUTIONS H26).
 */
@Injectable()
export class ReminderFiring {
  private sweeping = false;

  constructor(
    private readonly writer: Writer,
    private readonly rows: RemindersRepository,
    private readonly steps: ReminderSteps,
    private readonly directory: AgentDirectory,
    private readonly outgoing: OutgoingMessages,
    sweeper: Sweeper,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    sweeper.onTick(() => void this.sweep());
  }

  /** `fire_reminders`: these jobs came due. Settles when all that is due is on disk. */
  async fire(jobs: readonly ReminderJob[]): Promise<{ outcomes: JobOutcome[] }> {
    const fired = await this.fireDue();
    return { outcomes: jobs.map((job) => this.outcomeOf(job, fired)) };
  }

  /** Covers what no job asks for, a dead Redis too. Costs one look at an index when nothing is due. */
  private async sweep(): Promise<void> {
    if (this.sweeping || !this.rows.isAnyDue(this.clock.now())) return;
    this.sweeping = true;
    try {
      await this.fireDue();
    } catch (error) {
      this.logger.error({ err: error }, 'reminders could not be delivered; the next sweep tries');
    } finally {
      this.sweeping = false;
    }
  }

  private async fireDue(): Promise<Fired> {
    const fired: Fired = { done: new Set(), failed: new Set() };
    while (this.rows.isAnyDue(this.clock.now())) {
      const plans = await this.plan();
      try {
        // Each await lets the event loop turn: the others' requests come in between.
        for (const id of await this.writer.submit(() => this.deliverBatch(plans)))
          fired.done.add(id);
      } catch (error) {
        if (isOutage(error)) throw error;
        await this.deliverSingly(plans, fired);
      }
    }
    return fired;
  }

  /** Due times are worked out before the transaction, which they would hold up. */
  private async plan(): Promise<Map<number, Plan>> {
    const plans = new Map<number, Plan>();
    const now = this.clock.now();
    let since = performance.now();
    for (const row of this.rows.dueRepeating(now, BATCH)) {
      try {
        plans.set(row.id, { ...standingAt(row, row.due_at, now), due_at: row.due_at });
      } catch (error) {
        const whole = this.rows.find(row.id);
        if (whole) await this.writer.submit(() => this.recordFailure(whole, error));
      }
      if (performance.now() - since < HOLD_MS) continue;
      await new Promise((resolve) => setImmediate(resolve));
      since = performance.now();
    }
    return plans;
  }

  /** Returns the job ids of what was delivered. */
  private deliverBatch(plans: ReadonlyMap<number, Plan>): string[] {
    const now = this.clock.now();
    return this.rows
      .due(now, BATCH)
      .flatMap((row) => (this.deliver(row, plans.get(row.id), now) ? [jobIdOf(row)] : []));
  }

  /** One of a batch could not be written: each gets a transaction of its own, so that the others stand. */
  private async deliverSingly(plans: ReadonlyMap<number, Plan>, fired: Fired): Promise<void> {
    const now = this.clock.now();
    await Promise.all(
      this.rows.due(now, BATCH).map(async (row) => {
        try {
          const delivered = await this.writer.submit(() => {
            const current = this.rows.find(row.id);
            return current && isSame(current, row) && this.deliver(current, plans.get(row.id), now);
          });
          if (delivered) fired.done.add(jobIdOf(row));
        } catch (error) {
          if (isOutage(error)) throw error;
          await this.writer.submit(() => this.recordFailure(row, error));
          fired.failed.add(jobIdOf(row));
        }
      }),
    );
  }

  /** False when it cannot be delivered now: a repeating one whose due times are not worked out yet, or one of nobody. */
  private deliver(row: ReminderRecord, plan: Plan | undefined, now: number): boolean {
    if (row.every !== null && plan?.due_at !== row.due_at) return false;
    const owner = this.directory.byId(row.owner);
    if (!owner || owner.state === 'destroyed') {
      this.steps.enter(row, 'paused');
      return false;
    }
    const message = this.store(row, plan, owner, now);
    this.steps.delivered(row, message, plan?.next);
    return true;
  }

  private store(row: ReminderRecord, plan: Plan | undefined, owner: Agent, now: number): number {
    const due = plan?.latest ?? row.due_at;
    const reminder: ReminderNote = {
      id: formatId('r', row.id),
      occurrence: row.occurrence,
      due_at: isoTime(due),
      late_seconds: Math.max(0, Math.floor((now - due) / 1000)),
      missed: plan?.missed ?? 0,
    };
    if (row.file_path !== null) reminder.file_path = row.file_path;
    return this.outgoing.store({
      sender: REMINDER_SENDER,
      recipient: { id: owner.id, name: owner.name, limited: false },
      body: row.message,
      kind: 'reminder',
      hop: row.hop,
      detail: { reminder },
    }).id;
  }

  private recordFailure(row: ReminderRecord, error: unknown): void {
    const current = this.rows.find(row.id);
    if (!current || !isSame(current, row)) return;
    const attempt_count = row.attempt_count + 1;
    const now = this.clock.now();
    const rests = attempt_count >= LIMITS.reminder_attempts;
    this.logger.warn({ err: error, reminder: row.id }, 'a reminder could not be delivered');
    this.steps.failed(row, {
      state: rests ? 'failed' : 'pending',
      attempt_count,
      last_error: clip(error instanceof Error ? error.message : String(error), ERROR_CHARS),
      next_attempt_at: rests ? row.next_attempt_at : now + backOffMs(attempt_count),
    });
  }

  private outcomeOf(job: ReminderJob, fired: Fired): JobOutcome {
    const job_id = reminderJobId(job);
    if (fired.done.has(job_id)) return { job_id, outcome: 'done' };
    if (fired.failed.has(job_id)) return { job_id, outcome: 'failed' };
    const row = this.rows.find(parseId('r', job.id) ?? 0);
    if (row?.state !== 'pending' || jobIdOf(row) !== job_id) return { job_id, outcome: 'gone' };
    const again_in_ms = Math.max(1, row.next_attempt_at - this.clock.now());
    return { job_id, outcome: 'early', again_in_ms };
  }
}

function isSame(
  current: ReminderAttempt & Pick<ReminderRecord, 'state'>,
  row: ReminderAttempt,
): boolean {
  return current.state === 'pending' && jobIdOf(current) === jobIdOf(row);
}

/** The disk or the process fails, not this reminder. */
function isOutage(error: unknown): boolean {
  return (
    error instanceof HiveError && (error.code === 'unavailable' || error.code === 'outcome_unknown')
  );
}
