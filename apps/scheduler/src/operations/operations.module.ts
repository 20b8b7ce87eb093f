import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';

import { QUEUES } from '#libs/queues';

import { C0reClient } from './c0re.client.js';
import { OperationRelay } from './operation-relay.js';
import { OperationsProcessor } from './operations.processor.js';

/** Operations of c0re: their jobs, and the turns that those give. */
@Module({
  imports: [
    BullModule.registerQueue({ name: QUEUES.operations }),
    BullModule.registerFlowProducer({ name: QUEUES.operations }),
  ],
  providers: [C0reClient, OperationRelay, OperationsProcessor],
})
export class OperationsModule {}
