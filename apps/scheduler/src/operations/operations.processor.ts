import { Processor } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';

import { HiveError } from '#libs/protocol';
import {
  AgainLaterError,
  DrainingWorkerHost,
  QUEUES,
  type JobHandlers,
  type OperationJobs,
} from '#libs/queues';
import type { Clock, Logger } from '#libs/service';

import { CLOCK, LOGGER } from '../settings/tokens.js';
import { C0reClient } from './c0re.client.js';

/** How long a job waits for a c0re that is away. */
const AWAY_MS = 1000;
const UNDER_WAY = new Set(['queued', 'running']);

/** Carries out the `operations` queue, one job at a time: c0re does the work, by its own row; the job is its turn. */
@Processor(QUEUES.operations, { concurrency: 1 })
export class OperationsProcessor extends DrainingWorkerHost<OperationJobs> {
  protected override readonly jobNames = ['operation'] as const;
  protected override readonly handlers: JobHandlers<OperationJobs> = {
    operation: ({ id }, signal) => this.run(id, signal),
  };

  constructor(
    private readonly c0re: C0reClient,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    super(clock, logger);
  }

  private async run(id: string, signal: AbortSignal): Promise<string> {
    for (;;) {
      const { state } = await this.c0re.run(id).catch(away);
      if (!UNDER_WAY.has(state) || signal.aborted) return state;
    }
  }
}

/** An operation that c0re does not know has no turn; a c0re that is away costs it nothing but time. */
function away(error: unknown): { state: string } {
  if (!(error instanceof HiveError)) throw error;
  if (error.code === 'unavailable') throw new AgainLaterError(AWAY_MS, error.message);
  return { state: error.code };
}
