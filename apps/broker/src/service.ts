import 'reflect-metadata';
import { createLogger, loadEnv, runService } from '#libs/service';

import { BrokerEnv } from './broker.env.js';
import { openBroker } from './broker.js';

const logger = createLogger('broker', 'info');

await runService({
  name: 'broker',
  logger,
  start: async () => {
    const env = loadEnv(BrokerEnv, process.env);
    logger.level = env.HIVE_LOG_LEVEL;
    const broker = await openBroker({
      dbDir: env.HIVE_DB_DIR,
      runtimeDir: env.HIVE_RUNTIME_DIR,
      redisUrl: env.HIVE_REDIS_URL,
      rev: env.HIVE_REV,
      retention: {
        messageDays: env.HIVE_MESSAGE_DAYS,
        turnDays: env.HIVE_TURN_DAYS,
        eventDays: env.HIVE_EVENT_DAYS,
      },
      logger,
    });
    return { stop: () => broker.close() };
  },
});
