import { Global, Module, type DynamicModule } from '@nestjs/common';

import type { Clock, Logger } from '#libs/service';

import { SchedulerEnv } from './scheduler.env.js';
import { CLOCK, LOGGER } from './tokens.js';

export interface Settings {
  env: Readonly<SchedulerEnv>;
  logger: Logger;
  clock: Clock;
}

/** What every module may inject: the validated environment, the logger and the clock. */
@Global()
@Module({})
export class SettingsModule {
  static with({ env, logger, clock }: Settings): DynamicModule {
    return {
      module: SettingsModule,
      providers: [
        { provide: SchedulerEnv, useValue: env },
        { provide: LOGGER, useValue: logger },
        { provide: CLOCK, useValue: clock },
      ],
      exports: [SchedulerEnv, LOGGER, CLOCK],
    };
  }
}
