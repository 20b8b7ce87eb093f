import { IsIn, IsOptional, IsString, MinLength } from 'class-validator';

/** Environment of the broker's process, as the supervisor gives it. */
export class BrokerEnv {
  @IsString()
  @MinLength(1)
  HIVE_DB_DIR: string;

  @IsString()
  @MinLength(1)
  HIVE_RUNTIME_DIR: string;

  @IsString()
  @MinLength(1)
  HIVE_REDIS_URL: string;

  @IsOptional()
  @IsIn(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
  HIVE_LOG_LEVEL: string = 'info';

  @IsOptional()
  @IsString()
  HIVE_REV: string = 'unknown';
}
