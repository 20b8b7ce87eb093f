import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';

import { closeAfterDraining } from '#libs/queues';
import { createLogger, loadEnv, NestLog, runService, systemClock } from '#libs/service';

import { SchedulerModule } from './scheduler.module.js';
import { SchedulerEnv } from './settings/scheduler.env.js';

const logger = createLogger('scheduler', 'info');

await runService({
  name: 'scheduler',
  logger,
  start: async () => {
    const env = loadEnv(SchedulerEnv, process.env);
    logger.level = env.HIVE_LOG_LEVEL;
    const app = await NestFactory.createApplicationContext(
      SchedulerModule.with({ env, logger, clock: systemClock }),
      { logger: new NestLog(logger), abortOnError: false },
    );
    return { stop: () => closeAfterDraining(app, systemClock) };
  },
});
