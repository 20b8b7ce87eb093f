import { Inject, Injectable } from '@nestjs/common';

import type { Clock } from '#libs/service';

import { CLOCK } from '../settings/tokens.js';
import { OperationRepository, type Operation } from './operation.repository.js';

/** Longest that a poll for waiting operations is held, in milliseconds. */
const POLL_MS = 20_000;
/** How long the scheduler counts as there after its last poll, in milliseconds. */
const PRESENT_MS = 3000;
/** Longest that a row waits for its job while the scheduler is there, in milliseconds: Redis may have lost it. */
const GRACE_MS = 2000;

/** What the scheduler is told of operations that wait. */
export interface WaitingOperations {
  version: string;
  operations: { id: number; steps: number[] }[];
}

/**
 * The queue `operations` in front of the rows (P27): the scheduler makes a job of each row that waits, and the job's turn
 * is the row's. The rows decide: one whose job does not come in time, and every one while no scheduler is there, goes on
 * without.
 */
@Injectable()
export class OperationGrants {
  private readonly granted = new Set<number>();
  private readonly polls = new Set<() => void>();
  private readonly waits = new Set<() => void>();
  private changes = 0;
  private lastPoll = -Infinity;
  private readonly epoch: number;

  constructor(
    private readonly operations: OperationRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.epoch = clock.now();
    operations.onChange(() => {
      this.changes += 1;
      for (const answer of this.polls) answer();
    });
  }

  /** Rows that wait for their turn, at once when anything changed since `after`, else when it does. */
  async waiting(after: string): Promise<WaitingOperations> {
    if (after === this.version) {
      await this.signalled(this.polls, POLL_MS);
    }
    this.lastPoll = this.clock.monotonic();
    const waiting = this.operations
      .open()
      .filter(({ kind, parent }) => kind !== 'stop' && parent === null);
    return {
      version: this.version,
      operations: waiting.map(({ id }) => ({
        id,
        steps: this.operations.steps(id).map((step) => step.id),
      })),
    };
  }

  /** The job of that row has its turn; that of a step stands for the whole. */
  grant({ id, parent }: Operation): void {
    this.granted.add(parent ?? id);
    for (const go of this.waits) go();
  }

  /** Settles when the row may begin. */
  async turnOf(id: number): Promise<void> {
    const end = this.clock.monotonic() + GRACE_MS;
    while (this.isPresent && !this.granted.has(id)) {
      const left = end - this.clock.monotonic();
      if (left <= 0) break;
      await this.signalled(this.waits, left);
    }
    this.granted.delete(id);
  }

  private get version(): string {
    return `${this.epoch}-${this.changes}`;
  }

  private get isPresent(): boolean {
    return this.polls.size > 0 || this.clock.monotonic() - this.lastPoll < PRESENT_MS;
  }

  /** Waits until what is in the set is called, or that long. */
  private async signalled(signals: Set<() => void>, ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.clock.after(ms, resolve);
    signals.add(resolve);
    await promise;
    signals.delete(resolve);
    cancel();
  }
}
