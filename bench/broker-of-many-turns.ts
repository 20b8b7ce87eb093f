import 'reflect-metadata';
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import { createLogger, loadEnv, runService } from '#libs/service';

import { BrokerEnv } from '../apps/broker/src/broker.env.js';
import { openBroker } from '../apps/broker/src/broker.js';
import { DELAY_FILE } from './loop-delay.js';

/** No bound on starting turns: what is measured is the broker, not its patience. */
const UNBOUNDED = { liveTurns: 1_000_000, perSecond: 1_000_000, burst: 1_000_000 };

/** Resolution of the histogram in milliseconds: each of its looks is a timer in the loop that is measured. */
const RESOLUTION_MS = 2;
const NS_PER_MS = 1e6;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();
process.on('SIGUSR2', () => {
  const delay = {
    p50: late(delays.percentile(50)),
    p99: late(delays.percentile(99)),
    max: late(delays.max),
  };
  delays.reset();
  const file = path.join(process.env['HIVE_DB_DIR'] ?? '.', DELAY_FILE);
  writeFileSync(`${file}.new`, JSON.stringify(delay));
  renameSync(`${file}.new`, file);
});

/** Milliseconds that a look came late. */
function late(ns: number): number {
  return Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
}

/** The broker's main program but for that bound, and with an eye on its event loop. */
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
