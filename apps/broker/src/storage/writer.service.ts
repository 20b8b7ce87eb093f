import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';

import type { Clock } from '#libs/service';
import { GroupCommit } from '#libs/store';

import { BROKER_OPTIONS, CLOCK, type BrokerOptions } from '../broker.options.js';
import { ThreadsDb } from './threads.db.js';

/** In which order the settling steps run inside a transaction. */
export type SettleStep = 'hand-out' | 'rows' | 'outbox';

/** A confirmation waits this long for another commit to ride on, in milliseconds. */
const CONFIRM_WITHIN_MS = 50;

/**
 * The single writer: every change of threads.db goes through `submit`, is durable when it settles, and shares its fsync
 * with all that arrived in the same turn of the event loop.
 *
 * State that is kept in memory beside the rows may be changed inside a request, when it is read again on `onRollback`;
 * answers to those who wait leave only by `afterCommit` (P3).
 */
@Injectable()
export class Writer implements BeforeApplicationShutdown {
  private readonly commits: GroupCommit;
  private readonly steps: Partial<Record<SettleStep, () => void>> = {};
  private readonly rollbacks: (() => void)[] = [];
  private readonly confirmWithinMs: number;
  private flushPlanned = false;

  constructor(
    threads: ThreadsDb,
    @Inject(BROKER_OPTIONS) options: BrokerOptions,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.confirmWithinMs = options.confirmWithinMs ?? CONFIRM_WITHIN_MS;
    this.commits = new GroupCommit({
      db: threads.db,
      maxBatch: options.maxBatch,
      faults: options.faults,
      settle: () => {
        this.steps['hand-out']?.();
        this.steps.rows?.();
        this.steps.outbox?.();
      },
      onRollback: () => {
        for (const restore of this.rollbacks) restore();
      },
      onUnknownOutcome: (error) => {
        options.logger.fatal({ err: error }, 'threads.db did not confirm a commit');
        if (options.onUnknownOutcome) options.onUnknownOutcome(error);
        else process.exit(1);
      },
    });
  }

  /** Runs `work` in the next transaction; settles when it is on disk. `work` checks before it writes. */
  submit<T>(work: () => T): Promise<T> {
    return this.commits.submit(work);
  }

  /** The same for what may wait a moment to ride on another commit. Its place among the requests is kept. */
  submitLazily<T>(work: () => T): Promise<T> {
    const outcome = this.commits.submitLazily(work);
    if (this.confirmWithinMs === 0) {
      this.commits.flushSoon();
    } else if (!this.flushPlanned) {
      this.flushPlanned = true;
      this.clock.after(this.confirmWithinMs, () => {
        this.flushPlanned = false;
        this.commits.flushSoon();
      });
    }
    return outcome;
  }

  /** From inside a request: runs `effect` once the transaction is on disk. */
  afterCommit(effect: () => void): void {
    this.commits.afterCommit(effect);
  }

  /** Registers what runs at the end of every transaction, inside it. */
  onSettle(step: SettleStep, run: () => void): void {
    this.steps[step] = run;
  }

  /** Registers what reads its rows into memory again after a rollback. */
  onRollback(restore: () => void): void {
    this.rollbacks.push(restore);
  }

  /** Ends the writer as a crash would; for tests. */
  abandon(): void {
    this.commits.abandon();
  }

  beforeApplicationShutdown(): void {
    this.commits.close();
  }
}
