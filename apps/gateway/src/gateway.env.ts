import { IsIn, IsInt, IsString, Max, Min, MinLength } from 'class-validator';

/** The environment of the gateway. */
export class GatewayEnv {
  /** Short folder of the hive's sockets (P37). */
  @IsString()
  @MinLength(1)
  HIVE_RUNTIME_DIR: string;

  @IsString()
  @MinLength(1)
  HIVE_GATEWAY_HOST: string = '127.0.0.1';

  @IsInt()
  @Min(0)
  @Max(65_535)
  HIVE_GATEWAY_PORT: number = 7001;

  @IsIn(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
  HIVE_LOG_LEVEL: string = 'info';

  @IsString()
  HIVE_REV: string = 'unknown';
}
