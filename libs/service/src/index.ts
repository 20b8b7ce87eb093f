export { ManualClock, systemClock, type Clock } from './clock.js';
export { BadConfigurationError, loadEnv } from './env.js';
export { LineOutput } from './line-output.js';
export { createLogger, NestLog, type Logger } from './log.js';
export { parseRedisUrl, type RedisUrl } from './redis-url.js';
export {
  runService,
  type RunningService,
  type RunServiceOptions,
  type ServiceMessage,
} from './run-service.js';
export { TokenBucket } from './token-bucket.js';
export {
  agentUser,
  HIVE_BLOCKS,
  IDS_PER_HIVE,
  serviceUser,
  type UnprivilegedService,
} from './users.js';
