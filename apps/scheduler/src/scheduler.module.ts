import { BullModule } from '@nestjs/bullmq';
import { Module, type DynamicModule } from '@nestjs/common';

import { Drained, QUEUE_PREFIX, redisOptions } from '#libs/queues';

import { DueModule } from './due/due.module.js';
import { MaintenanceModule } from './maintenance/maintenance.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { SettingsModule, type Settings } from './settings/settings.module.js';

/** Everything the scheduler is made of. */
@Module({})
export class SchedulerModule {
  static with(settings: Settings): DynamicModule {
    return {
      module: SchedulerModule,
      imports: [
        SettingsModule.with(settings),
        BullModule.forRoot({
          connection: redisOptions(settings.env.HIVE_REDIS_URL),
          prefix: QUEUE_PREFIX,
        }),
        DueModule,
        MaintenanceModule,
        OperationsModule,
      ],
      providers: [Drained],
    };
  }
}
