import 'reflect-metadata';
import { socketPath } from '#libs/ipc';
import { createLogger, loadEnv, runService, systemClock } from '#libs/service';

import { startGateway } from './gateway.app.js';
import { GatewayEnv } from './gateway.env.js';
import { GatewayOptions } from './gateway.options.js';

/** Bound of a clean stop, in milliseconds. */
const STOP_MS = 5000;

const logger = createLogger('gateway', 'info');

await runService({
  name: 'gateway',
  logger,
  stopWithinMs: STOP_MS,
  start: () => {
    const env = loadEnv(GatewayEnv, process.env);
    logger.level = env.HIVE_LOG_LEVEL;
    return startGateway(
      new GatewayOptions({
        clock: systemClock,
        logger,
        brokerSocket: socketPath(env.HIVE_RUNTIME_DIR, 'broker', 'gateway'),
        c0reSocket: socketPath(env.HIVE_RUNTIME_DIR, 'c0re', 'gateway'),
        host: env.HIVE_GATEWAY_HOST,
        port: env.HIVE_GATEWAY_PORT,
        hiveRev: env.HIVE_REV,
      }),
    );
  },
});
