import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';

import { QUEUES } from '#libs/queues';

import { BrokerModule } from '../broker/broker.module.js';
import { MaintenanceProcessor } from './maintenance.processor.js';
import { MaintenanceSchedule } from './maintenance.schedule.js';

@Module({
  imports: [BrokerModule, BullModule.registerQueue({ name: QUEUES.maintenance })],
  providers: [MaintenanceProcessor, MaintenanceSchedule],
})
export class MaintenanceModule {}
