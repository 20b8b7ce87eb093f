import { Transform, type TransformFnParams } from 'class-transformer';
import {
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  registerDecorator,
} from 'class-validator';

import { CONTAINERS, LIMITS, type Container } from '#libs/protocol';
import { parseRedisUrl } from '#libs/service';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
const PORT = { message: 'allowed are whole numbers from 1 to 65535' };
const HOST = {
  message: 'allowed are an IP address or a host name of this machine, such as 127.0.0.1 or ::1',
};
const HOST_SHAPE = /^([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9a-fA-F:.]{2,45})$/;

const DAYS = { message: 'allowed are whole days from 1 to 36500' };

/** Only `7000`, not `0x1b58`, `7e3` or ` 7000`: what was typed is what is used. */
const asWholeNumber = Transform(({ obj, key, value }: TransformFnParams): unknown => {
  // `value` went through Number() already, `obj` holds what was typed or, when nothing was, nothing.
  const typed = (obj as Record<string, string | undefined>)[key];
  return typed === undefined || /^\d{1,5}$/.test(typed) ? value : Number.NaN;
});

/** The settings of `npm start`; each is a variable, or an option after `--` (INTERFACES "Commands"). */
export class SupervisorEnv {
  @Matches(/^[^\0\n\r]+$/, { message: 'allowed is the path of a folder, without line breaks' })
  @MaxLength(3000, { message: 'allowed is the path of a folder, at most 3000 characters' })
  HIVE_HOME: string = './.hive';

  @IsOptional()
  @IsRedisUrl()
  HIVE_REDIS_URL?: string;

  @Matches(HOST_SHAPE, HOST)
  HIVE_DASHBOARD_HOST: string = '127.0.0.1';

  @asWholeNumber
  @IsInt(PORT)
  @Min(1, PORT)
  @Max(65_535, PORT)
  HIVE_DASHBOARD_PORT: number = 7000;

  @Matches(HOST_SHAPE, HOST)
  HIVE_GATEWAY_HOST: string = '127.0.0.1';

  @asWholeNumber
  @IsInt(PORT)
  @Min(1, PORT)
  @Max(65_535, PORT)
  HIVE_GATEWAY_PORT: number = 7001;

  @IsOptional()
  @IsString()
  @Matches(/^[\x21-\x7e]{1,512}$/, {
    message: 'allowed are 1 to 512 printable ASCII characters without spaces',
  })
  HIVE_OPERATOR_TOKEN?: string;

  @IsOptional()
  @IsIn([...CONTAINERS], { message: `allowed are ${CONTAINERS.join(', ')}` })
  HIVE_CONTAINER_DRIVER?: Container;

  @IsOptional()
  @Matches(/^\/[^\0\n\r]*$/, {
    message: 'allowed are absolute paths, separated by ":" when there are several',
  })
  HIVE_REACHABLE?: string;

  @IsIn(LOG_LEVELS, { message: `allowed are ${LOG_LEVELS.join(', ')}` })
  HIVE_LOG_LEVEL: string = 'info';

  @asWholeNumber
  @IsInt(DAYS)
  @Min(1, DAYS)
  @Max(36_500, DAYS)
  HIVE_MESSAGE_DAYS: number = LIMITS.message_retention_days;

  @asWholeNumber
  @IsInt(DAYS)
  @Min(1, DAYS)
  @Max(36_500, DAYS)
  HIVE_TURN_DAYS: number = 400;

  @asWholeNumber
  @IsInt(DAYS)
  @Min(1, DAYS)
  @Max(36_500, DAYS)
  HIVE_EVENT_DAYS: number = 14;
}

function IsRedisUrl(): PropertyDecorator {
  return (target, propertyName) => {
    registerDecorator({
      name: 'isRedisUrl',
      target: target.constructor,
      propertyName: String(propertyName),
      validator: {
        validate: (value: unknown) =>
          typeof value === 'string' && parseRedisUrl(value) !== undefined,
        defaultMessage: () =>
          'allowed are redis://[user:password@]host[:port][/database], rediss://… (TLS) and unix://[user:password@]/path/of/redis.sock',
      },
    });
  };
}
