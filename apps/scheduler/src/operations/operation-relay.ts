import { InjectFlowProducer, InjectQueue } from '@nestjs/bullmq';
import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import type { FlowJob, FlowProducer, Queue } from 'bullmq';

import { OPERATION_JOB, QUEUES } from '#libs/queues';
import type { Clock, Logger } from '#libs/service';

import { CLOCK, LOGGER } from '../settings/tokens.js';
import { C0reClient } from './c0re.client.js';

/** Wait before c0re, or Redis, is tried again, in milliseconds. */
const AGAIN_MS = 500;
/** Jobs go when they are done: c0re's rows are the record. */
const OPTIONS = { removeOnComplete: true, removeOnFail: true };

/**
 * Makes a job of each operation that waits at c0re, and of one with steps a flow in which the steps come first. Added
 * twice it is one job; lost by Redis it is made anew, and c0re does not wait long for it.
 */
@Injectable()
export class OperationRelay implements OnApplicationBootstrap, OnModuleDestroy {
  private isStopping = false;
  private takeBack: () => void = () => {};

  constructor(
    private readonly c0re: C0reClient,
    @InjectQueue(QUEUES.operations) private readonly queue: Queue,
    @InjectFlowProducer(QUEUES.operations) private readonly flows: FlowProducer,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    // Without a listener each failed connect is a stack trace on the terminal.
    const onError = (error: Error) => this.logger.debug({ err: error }, 'Redis: operations wait');
    this.queue.on('error', onError);
    this.flows.on('error', onError);
  }

  onApplicationBootstrap(): void {
    void this.follow();
  }

  onModuleDestroy(): void {
    this.isStopping = true;
    this.takeBack();
  }

  private async follow(): Promise<void> {
    let after = '';
    while (!this.isStopping) {
      try {
        // Without Redis nothing is asked for, so that c0re knows that it is alone.
        await this.queue.waitUntilReady();
        const { version, operations } = await this.c0re.waiting(after);
        for (const operation of operations) await this.add(operation);
        after = version;
      } catch (error) {
        after = '';
        this.logger.debug({ err: error }, 'operations wait for c0re or Redis');
        await new Promise<void>((resolve) => {
          this.takeBack = this.clock.after(AGAIN_MS, resolve);
        });
      }
    }
  }

  private async add({ id, steps }: { id: string; steps: string[] }): Promise<void> {
    if (await this.queue.getJob(jobId(id))) return;
    await this.flows.add({ ...flowJob(id), children: steps.map(flowJob) });
  }
}

function flowJob(id: string): FlowJob {
  const opts = { ...OPTIONS, jobId: jobId(id) };
  return { name: OPERATION_JOB, queueName: QUEUES.operations, data: { id }, opts };
}

function jobId(id: string): string {
  return `op-${id}`;
}
