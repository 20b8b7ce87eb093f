import { IsIn, IsInt, IsOptional, IsString, Max, Min, MinLength } from 'class-validator';

import { DEFAULT_RETENTION } from './retention/retention.terms.js';

const DAYS = { message: 'allowed are whole days from 1 to 36500' };

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

  @IsInt(DAYS)
  @Min(1, DAYS)
  @Max(36_500, DAYS)
  HIVE_MESSAGE_DAYS: number = DEFAULT_RETENTION.messageDays;

  @IsInt(DAYS)
  @Min(1, DAYS)
  @Max(36_500, DAYS)
  HIVE_TURN_DAYS: number = DEFAULT_RETENTION.turnDays;

  @IsInt(DAYS)
  @Min(1, DAYS)
  @Max(36_500, DAYS)
  HIVE_EVENT_DAYS: number = DEFAULT_RETENTION.eventDays;
}
