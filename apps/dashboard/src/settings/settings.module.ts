import { Global, Module, type DynamicModule } from '@nestjs/common';

import type { Clock, Logger } from '#libs/service';

import { DashboardEnv } from './dashboard.env.js';
import { CLOCK, LOGGER } from './tokens.js';

export interface Settings {
  env: DashboardEnv;
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
        { provide: DashboardEnv, useValue: env },
        { provide: LOGGER, useValue: logger },
        { provide: CLOCK, useValue: clock },
      ],
      exports: [DashboardEnv, LOGGER, CLOCK],
    };
  }
}
