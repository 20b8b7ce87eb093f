import { Processor } from '@nestjs/bullmq';
import { Inject, type Type } from '@nestjs/common';

import {
  broadcastJobId,
  deadlineJobId,
  HiveError,
  reminderJobId,
  type JobOutcome,
  type JobQueue,
} from '#libs/protocol';
import {
  AgainLaterError,
  DrainingWorkerHost,
  QUEUES,
  type DueJobsOf,
  type JobHandlers,
} from '#libs/queues';
import type { Clock, Logger } from '#libs/service';

import { BrokerClient } from '../broker/broker.client.js';
import { CLOCK, LOGGER } from '../settings/tokens.js';
import { DueBatches } from './due-batches.js';

/** Jobs at one time: they wait for one call to the broker together. */
const CONCURRENCY = 200;
/** How long a job waits for a broker that is away. */
const BROKER_AWAY_MS = 1000;

/** Carries out jobs that came due: the broker decides by its rows, each job only says when (P22). */
abstract class DueProcessor<Data> extends DrainingWorkerHost<DueJobsOf<Data>> {
  protected override readonly jobNames = ['due'] as const;
  protected override readonly handlers: JobHandlers<DueJobsOf<Data>> = {
    due: (data) => this.settle(data),
  };

  protected abstract readonly batches: DueBatches<Data>;

  private async settle(data: Data): Promise<JobOutcome['outcome']> {
    const { outcome, again_in_ms: again } = await this.batches.settle(data).catch(away);
    if (outcome === 'early') throw new AgainLaterError(again ?? BROKER_AWAY_MS, 'it is not due');
    return outcome;
  }
}

/** A broker that is away costs a job nothing but time. */
function away(error: unknown): never {
  if (error instanceof HiveError && ['unavailable', 'outcome_unknown'].includes(error.code))
    throw new AgainLaterError(BROKER_AWAY_MS, error.message);
  throw error;
}

/** A call is not given up when one of its jobs is: others wait for it too. */
const UNENDING = new AbortController().signal;

/** The processor of a queue whose jobs `call` carries out, together those of one moment. */
function dueProcessor<Data>(
  queue: JobQueue,
  jobId: (data: Data) => string,
  call: (broker: BrokerClient, jobs: Data[]) => Promise<{ outcomes: JobOutcome[] }>,
): Type {
  @Processor(queue, { concurrency: CONCURRENCY })
  class QueueProcessor extends DueProcessor<Data> {
    protected override readonly batches: DueBatches<Data>;

    constructor(broker: BrokerClient, @Inject(CLOCK) clock: Clock, @Inject(LOGGER) logger: Logger) {
      super(clock, logger);
      this.batches = new DueBatches(jobId, (jobs) => call(broker, jobs));
    }
  }
  return QueueProcessor;
}

/** `reminders`: all that is due is written with them. */
export const RemindersProcessor = dueProcessor(QUEUES.reminders, reminderJobId, (broker, jobs) =>
  broker.call('fire_reminders', { jobs }, UNENDING),
);

/** `broadcasts`: chunks of recipients. */
export const BroadcastsProcessor = dueProcessor(QUEUES.broadcasts, broadcastJobId, (broker, jobs) =>
  broker.call('deliver_chunks', { jobs }, UNENDING),
);

/** `deliveries`: outcomes that come due, such as a question's when its deadline passes. */
export const DeliveriesProcessor = dueProcessor(QUEUES.deliveries, deadlineJobId, (broker, jobs) =>
  broker.call('expire_questions', { jobs }, UNENDING),
);
