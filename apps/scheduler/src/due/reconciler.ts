import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';

import { HiveError, type JobQueue, type WantedJob } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { BrokerClient } from '../broker/broker.client.js';
import { CLOCK, LOGGER } from '../settings/tokens.js';
import { DueJobs } from './due-jobs.js';
import { JobKeys } from './job-keys.js';

const QUEUES: readonly JobQueue[] = ['reminders', 'broadcasts', 'deliveries'];
/** Both ways every minute, and within a second when Redis was wiped: that closes no connection. */
export const RECONCILE_EVERY_MS = 60_000;
const LOOK_EVERY_MS = 1000;
const PAGE = 1000;

/** What one comparison changed. */
export interface Reconciled {
  added: number;
  removed: number;
}

/**
 * Compares the jobs in Redis with what the broker's rows ask for, both ways: at each connect of either, every minute,
 * and at once when Redis was wiped (ARCHITECTURE "Who owns what": always rebuildable). A job is removed only when the
 * broker, asked again, does not want it (P22).
 */
@Injectable()
export class Reconciler implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stopping = new AbortController();
  private takeBack: () => void = () => {};
  private running: Promise<Reconciled | undefined> | undefined;
  private looks = 0;

  constructor(
    private readonly broker: BrokerClient,
    private readonly jobs: DueJobs,
    private readonly keys: JobKeys,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.keys.onReady(() => void this.run());
    this.broker.onConnected(() => void this.run());
    this.lookLater();
  }

  onModuleDestroy(): void {
    this.takeBack();
    this.stopping.abort();
  }

  /** One comparison; undefined when the broker or Redis was away. One at a time. */
  run(): Promise<Reconciled | undefined> {
    this.running ??= this.compareAll()
      .catch((error: unknown) => this.report(error))
      .finally(() => {
        this.running = undefined;
      });
    return this.running;
  }

  private lookLater(): void {
    this.takeBack = this.clock.after(LOOK_EVERY_MS, () => {
      void this.look();
      this.lookLater();
    });
  }

  private async look(): Promise<void> {
    this.looks += 1;
    try {
      const isTime = this.looks % (RECONCILE_EVERY_MS / LOOK_EVERY_MS) === 0;
      if (isTime || (this.keys.isReady && !(await this.keys.isFilled()))) await this.run();
    } catch (error) {
      this.report(error);
    }
  }

  private async compareAll(): Promise<Reconciled | undefined> {
    if (!this.keys.isReady) return undefined;
    const total: Reconciled = { added: 0, removed: 0 };
    // First: what is wiped while this runs makes the next look run it again.
    await this.keys.markFilled();
    try {
      await this.compareQueues(total);
    } catch (error) {
      // Half done: the next look runs it again.
      await this.keys.unmarkFilled().catch(() => {});
      throw error;
    }
    if (total.added > 0 || total.removed > 0)
      this.logger.info(total, 'jobs in Redis were made to fit the rows');
    return total;
  }

  private async compareQueues(total: Reconciled): Promise<void> {
    for (const queue of QUEUES) {
      const wanted = new Set<string>();
      total.added += await this.addMissing(queue, wanted);
      total.removed += await this.removeUnwanted(queue, wanted);
    }
  }

  private async addMissing(queue: JobQueue, wanted: Set<string>): Promise<number> {
    let added = 0;
    let after: string | undefined;
    do {
      const page: { jobs: WantedJob[]; next?: string } = await this.broker.call(
        'wanted_jobs',
        { queue, limit: PAGE, ...(after === undefined ? {} : { after }) },
        this.stopping.signal,
      );
      for (const job of page.jobs) wanted.add(job.job_id);
      const ids = page.jobs.map((job) => job.job_id);
      const found = await this.keys.missing(queue, ids);
      for (const id of found.leftover) await this.jobs.queue(queue).remove(id);
      const missing = new Set(found.missing);
      await this.jobs.add(page.jobs.filter((job) => missing.has(job.job_id)));
      added += missing.size;
      after = page.next;
    } while (after !== undefined && !this.stopping.signal.aborted);
    return added;
  }

  private async removeUnwanted(queue: JobQueue, wanted: ReadonlySet<string>): Promise<number> {
    const extra = (await this.keys.waiting(queue)).filter((id) => !wanted.has(id));
    let removed = 0;
    for (let from = 0; from < extra.length; from += PAGE) {
      const ids = extra.slice(from, from + PAGE);
      const { job_ids: still } = await this.broker.call(
        'still_wanted',
        { job_ids: ids },
        this.stopping.signal,
      );
      for (const id of ids.filter((other) => !still.includes(other)))
        removed += await this.jobs.queue(queue).remove(id);
    }
    return removed;
  }

  private report(error: unknown): undefined {
    const isAway = error instanceof HiveError && ['unavailable', 'cancelled'].includes(error.code);
    if (!isAway) this.logger.warn({ err: error }, 'jobs could not be compared; tried again');
    return undefined;
  }
}
