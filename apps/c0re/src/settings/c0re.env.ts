import { IsIn, IsInt, IsNotEmpty, IsOptional, IsString, Matches, Min } from 'class-validator';

import { CONTAINERS, type Container } from '#libs/protocol';

/** c0re's environment; the supervisor sets it. */
export class C0reEnv {
  /** All state of the hive. */
  @IsString()
  @IsNotEmpty()
  HIVE_HOME: string;

  /** Short folder of the socket folders. */
  @IsString()
  @IsNotEmpty()
  HIVE_RUNTIME_DIR: string;

  /** Folder of c0re.db. */
  @IsString()
  @IsNotEmpty()
  HIVE_DB_DIR: string;

  /** By which the agents reach the gateway. */
  @IsString()
  @Matches(/^https?:\/\//, { message: 'must be an http URL' })
  HIVE_GATEWAY_URL: string;

  @IsIn(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
  HIVE_LOG_LEVEL: string = 'info';

  /** Revision of the program, handed on to the harnesses. */
  @IsString()
  HIVE_REV: string = 'dev';

  @IsOptional()
  @IsIn([...CONTAINERS])
  HIVE_CONTAINER_DRIVER?: Container;

  /** First numeric user of the hive; only when c0re runs as root. */
  @IsOptional()
  @IsInt()
  @Min(65_536)
  HIVE_UID_BASE?: number;

  /** The operator's token; without it c0re makes one. */
  @IsOptional()
  @IsString()
  @Matches(/^[\x21-\x7e]{1,512}$/, {
    message: 'must be 1 to 512 printable ASCII characters without spaces',
  })
  HIVE_OPERATOR_TOKEN?: string;

  /** The harness's program; the one of the same build when not given. */
  @IsOptional()
  @IsString()
  HIVE_HARNESS_MAIN?: string;

  /** Paths (`:` between them) besides /usr that agents' programs lie in; containers see them read-only. */
  @IsOptional()
  @IsString()
  HIVE_REACHABLE?: string;

  /** System of the containers of the driver `nixos-container`, as `REF#ATTRIBUTE`. */
  @IsOptional()
  @IsString()
  HIVE_NIXOS_FLAKE?: string;
}
