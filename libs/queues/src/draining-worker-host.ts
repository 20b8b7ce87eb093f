import { WorkerHost } from '@nestjs/bullmq';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { DelayedError, UnrecoverableError, type Job } from 'bullmq';

import type { Clock, Logger } from '#libs/service';

import { AgainLaterError } from './again-later.error.js';

/** One handler per job name. `signal` aborts when the worker must end before the job does. */
export type JobHandlers<Jobs> = {
  [Name in keyof Jobs]: (data: Jobs[Name], signal: AbortSignal) => Promise<unknown>;
};

/** Thrown while the modules start: a job of the queue could never be carried out. */
export class MissingJobHandlerError extends Error {
  override readonly name = 'MissingJobHandlerError';
  constructor(processor: string, missing: readonly string[]) {
    super(
      `${processor} has no handler for ${missing.join(', ')}: add one to its "handlers" for each`,
    );
  }
}

/** How long a job that runs may take to end by itself when the service stops, in milliseconds. */
const GRACE_MS = 5_000;
/** How long a worker without a job may take to close: it does at once, but never while Redis is away. */
const IDLE_CLOSE_MS = 1_000;
/** How long a cancelled job may take to go back to the queue; past it another worker takes it as stalled. */
const HAND_BACK_MS = 2_000;

/**
 * Base of every processor: dispatches jobs by name to `handlers` and drains when the service stops. It takes no new job,
 * lets running ones end within the grace time, then cancels them, which puts them back into the queue. Nest closes
 * resources later (onApplicationShutdown), so handlers may use them to the end.
 */
export abstract class DrainingWorkerHost<Jobs extends object>
  extends WorkerHost
  implements OnModuleInit, OnModuleDestroy
{
  /** Every job name of the queue; each must have a handler or the service refuses to start. */
  protected abstract readonly jobNames: readonly (keyof Jobs & string)[];
  protected abstract readonly handlers: JobHandlers<Jobs>;

  private runningJobs = 0;

  constructor(
    protected readonly clock: Clock,
    protected readonly logger: Logger,
    private readonly graceMs = GRACE_MS,
  ) {
    super();
  }

  onModuleInit(): void {
    const missing = this.jobNames.filter((name) => typeof this.handlers[name] !== 'function');
    if (missing.length > 0) throw new MissingJobHandlerError(this.constructor.name, missing);
    this.worker.on('error', (error) =>
      this.logger.debug({ err: error }, 'Redis: the worker waits'),
    );
    this.worker.on('failed', (job, error) =>
      this.logger.warn({ job: job?.name, id: job?.id }, `a job failed: ${error.message}`),
    );
  }

  /** Called by BullMQ, which passes a signal only to processors that take three parameters. */
  async process(
    job: Job<Jobs[keyof Jobs & string], unknown, keyof Jobs & string>,
    token?: string,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const handler = Object.hasOwn(this.handlers, job.name) ? this.handlers[job.name] : undefined;
    if (!handler) throw new UnrecoverableError(`there is no job "${job.name}" in this queue`);
    const cancelled = signal ?? new AbortController().signal;
    this.runningJobs += 1;
    try {
      return await untilAborted(handler.call(this.handlers, job.data, cancelled), cancelled);
    } catch (error) {
      if (!(error instanceof AgainLaterError)) throw error;
      await job.moveToDelayed(this.clock.now() + error.ms, token);
      throw new DelayedError(error.message);
    } finally {
      this.runningJobs -= 1;
    }
  }

  async onModuleDestroy(): Promise<void> {
    const closing = this.worker.close();
    if (await this.settles(closing, this.runningJobs > 0 ? this.graceMs : IDLE_CLOSE_MS)) return;
    if (this.runningJobs === 0) return;
    this.logger.warn(`jobs still run after ${this.graceMs} ms: they go back to the queue`);
    this.worker.cancelAllJobs('the service stops');
    await this.settles(closing, HAND_BACK_MS);
  }

  private async settles(work: Promise<void>, withinMs: number): Promise<boolean> {
    const timeout = Promise.withResolvers<boolean>();
    const takeBack = this.clock.after(withinMs, () => timeout.resolve(false));
    const settled = work.then(
      () => true,
      () => true,
    );
    return Promise.race([settled, timeout.promise]).finally(takeBack);
  }
}

/** The work's outcome, or a rejection as soon as `signal` aborts, whether the work heeds it or not. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<T>();
  const abort = () => aborted.reject(new Error(`aborted: ${String(signal.reason)}`));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([work, aborted.promise]).finally(() =>
    signal.removeEventListener('abort', abort),
  );
}
