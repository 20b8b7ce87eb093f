import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';

import { createLogger, loadEnv, NestLog, runService, systemClock } from '#libs/service';

import { C0reModule } from './c0re.module.js';
import { C0re } from './c0re.service.js';
import { C0reEnv } from './settings/c0re.env.js';
import { C0reSettings } from './settings/c0re.settings.js';

/** An operation that is running may have to end an agent first. */
const STOP_MS = 20_000;

const logger = createLogger('c0re', 'info');

// Files that agents or services must not read are made with their own mode; all others are readable.
process.umask(0o022);

await runService({
  name: 'c0re',
  logger,
  stopWithinMs: STOP_MS,
  start: async () => {
    const env = loadEnv(C0reEnv, process.env);
    logger.level = env.HIVE_LOG_LEVEL;
    const settings = new C0reSettings(env, process.getuid?.() === 0);
    const app = await NestFactory.createApplicationContext(
      C0reModule.forRoot({ settings, clock: systemClock, logger }),
      { logger: new NestLog(logger), abortOnError: false },
    );
    const c0re = app.get(C0re);
    await c0re.start();
    return {
      stop: async () => {
        await c0re.stop();
        await app.close();
      },
    };
  },
});
