import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';

import { QUEUES } from '#libs/queues';

import { BrokerModule } from '../broker/broker.module.js';
import { DueJobs } from './due-jobs.js';
import { BroadcastsProcessor, DeliveriesProcessor, RemindersProcessor } from './due.processors.js';
import { JobKeys } from './job-keys.js';
import { JobRelay } from './job-relay.js';
import { Reconciler } from './reconciler.js';

/** All that comes due: the queues, how they are filled, and who carries their jobs out. */
@Module({
  imports: [
    BrokerModule,
    BullModule.registerQueue(
      { name: QUEUES.reminders },
      { name: QUEUES.broadcasts },
      { name: QUEUES.deliveries },
    ),
  ],
  providers: [
    DueJobs,
    JobKeys,
    JobRelay,
    Reconciler,
    RemindersProcessor,
    BroadcastsProcessor,
    DeliveriesProcessor,
  ],
})
export class DueModule {}
