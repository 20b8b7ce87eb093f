import { Transform } from 'class-transformer';
import { IsIn, IsInt, IsNotEmpty, IsString, Max, Min } from 'class-validator';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** The dashboard's environment, given by the supervisor. */
export class DashboardEnv {
  /** Folder of the hive's unix sockets. */
  @IsString()
  @IsNotEmpty()
  HIVE_RUNTIME_DIR!: string;

  @IsIn(LOG_LEVELS)
  HIVE_LOG_LEVEL = 'info';

  @IsString()
  HIVE_REV = 'unknown';

  /** `redis://`, `rediss://` or `unix://user:password@/path/redis.sock`. */
  @IsString()
  @IsNotEmpty()
  HIVE_REDIS_URL!: string;

  @IsString()
  @IsNotEmpty()
  HIVE_DASHBOARD_HOST = '127.0.0.1';

  /** 0 takes a free port. */
  @IsInt()
  @Min(0)
  @Max(65_535)
  @Transform(({ value }) => Number(value))
  HIVE_DASHBOARD_PORT = 7000;

  /** Folder of the built page: index.html and assets/. */
  @IsString()
  @IsNotEmpty()
  HIVE_WEB_DIR!: string;
}
