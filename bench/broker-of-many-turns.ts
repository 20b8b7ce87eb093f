import 'reflect-metadata';
import { createLogger, loadEnv, runService } from '#libs/service';

import { BrokerEnv } from '../apps/broker/src/broker.env.js';
import { openBroker } from '../apps/broker/src/broker.js';

/** No bound on starting turns: what is measured is the broker, not its patience. */
const UNBOUNDED = { liveTurns: 1_000_000, perSecond: 1_000_000, burst: 1_000_000 };

/** The broker's main program but for that bound. */
await runService({
  name: 'broker',
  logger: createLogger('broker', 'warn'),
  start: async () => {
    const env = loadEnv(BrokerEnv, process.env);
    const broker = await openBroker({
      dbDir: env.HIVE_DB_DIR,
      runtimeDir: env.HIVE_RUNTIME_DIR,
      redisUrl: env.HIVE_REDIS_URL,
      rev: env.HIVE_REV,
      logger: createLogger('broker', env.HIVE_LOG_LEVEL),
      grantLimits: UNBOUNDED,
    });
    return { stop: () => broker.close() };
  },
});
