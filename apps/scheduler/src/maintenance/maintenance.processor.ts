import { Processor } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';

import {
  DrainingWorkerHost,
  MAINTENANCE_EVERY_MS,
  QUEUES,
  type JobHandlers,
  type MaintenanceJobs,
} from '#libs/queues';
import type { Clock, Logger } from '#libs/service';

import { BrokerClient } from '../broker/broker.client.js';
import { CLOCK, LOGGER } from '../settings/tokens.js';

/** Steps of one run; what is left then waits for the next. */
const RETENTION_STEPS = 100;

/** Carries out the `maintenance` queue: the broker does the work, each job only says that it is due. */
@Processor(QUEUES.maintenance)
export class MaintenanceProcessor extends DrainingWorkerHost<MaintenanceJobs> {
  protected override readonly jobNames = Object.keys(
    MAINTENANCE_EVERY_MS,
  ) as (keyof MaintenanceJobs)[];

  protected override readonly handlers: JobHandlers<MaintenanceJobs> = {
    sweep_leases: async (_data, signal) => {
      const swept = await this.broker.call('sweep_leases', {}, signal);
      if (swept.expired > 0 || swept.returned > 0) this.logger.info(swept, 'leases swept');
      return swept;
    },
    check_wakes: async (_data, signal) => {
      const checked = await this.broker.call('check_wakes', {}, signal);
      if (checked.woken > 0 || checked.stuck > 0) {
        this.logger.warn(checked, 'queued deliveries had missed their wake');
      }
      return checked;
    },
    sweep_retention: async (_data, signal) => {
      const total = { messages: 0, questions: 0, reminders: 0 };
      for (let n = 0; n < RETENTION_STEPS; n += 1) {
        const swept = await this.broker.call('sweep_retention', {}, signal);
        total.messages += swept.messages;
        total.questions += swept.questions;
        total.reminders += swept.reminders;
        if (!swept.more) break;
      }
      return total;
    },
  };

  constructor(
    private readonly broker: BrokerClient,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    super(clock, logger);
  }
}
