import { IsIn, IsNotEmpty, IsString } from 'class-validator';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** The scheduler's environment, given by the supervisor. */
export class SchedulerEnv {
  /** Folder of the hive's unix sockets. */
  @IsString()
  @IsNotEmpty()
  HIVE_RUNTIME_DIR!: string;

  /** `redis://`, `rediss://` or `unix://user:password@/path/redis.sock`. */
  @IsString()
  @IsNotEmpty()
  HIVE_REDIS_URL!: string;

  @IsIn(LOG_LEVELS)
  HIVE_LOG_LEVEL = 'info';
}
