import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';

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
    const stopping = new AbortController();
    const app = await NestFactory.createApplicationContext(
      SchedulerModule.with({ env, logger, clock: systemClock }, stopping.signal),
      { logger: new NestLog(logger), abortOnError: false },
    );
    return {
      stop: () => {
        stopping.abort();
        return app.close();
      },
    };
  },
});
