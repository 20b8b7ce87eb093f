import { Type } from 'class-transformer';
import {
  IsIn,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
} from 'class-validator';

import {
  AGENT_NAME,
  type OperationBody,
  type PurgeBody,
  type ReviveBody,
  type SpawnBody,
} from '#libs/protocol';

import { IsTextMap } from './text-map.validator.js';

/** Most characters of a reason that the operator gives. */
const REASON_CHARS = 200;
/** Most characters of a token, cookie or page secret; ours have 43. */
const CREDENTIAL_CHARS = 512;
/** Most characters of an agent.yaml. */
const YAML_CHARS = 131_072;

/** Body of `POST /v1/login`. */
export class LoginRequest {
  /** One-time login token. */
  @IsString()
  @IsNotEmpty()
  @MaxLength(CREDENTIAL_CHARS)
  token: string;
}

/** Body of `POST /v1/agents`. */
export class SpawnRequest implements SpawnBody {
  @IsString()
  @MaxLength(64)
  name: string;

  @ValidateIf((body: SpawnRequest) => body.yaml === undefined)
  @IsObject({ message: 'config must be an object with the keys of agent.yaml (or give yaml)' })
  config?: Record<string, unknown>;

  @IsOptional()
  @IsString()
  @MaxLength(YAML_CHARS)
  yaml?: string;

  @IsOptional()
  @IsTextMap({ maxEntries: 64 })
  files?: Record<string, string>;

  @IsOptional()
  @IsString()
  @MaxLength(REASON_CHARS)
  reason?: string;
}

/** Body of `POST /v1/agents/:name/{start,stop,restart,rebuild,destroy}`, `/v1/restart-all` and `/v1/update-all`. */
export class OperationRequest implements OperationBody {
  @IsOptional()
  @IsString()
  @MaxLength(REASON_CHARS)
  reason?: string;
}

/** Body of `POST /v1/agents/:name/revive`. */
export class ReviveRequest extends OperationRequest implements ReviveBody {
  @IsOptional()
  @Matches(/^[1-9]\d{0,14}$/, { message: 'agent_id must be that of a tombstone' })
  agent_id?: string;
}

/** Body of `POST /v1/agents/:name/purge`. */
export class PurgeRequest extends ReviveRequest implements PurgeBody {
  @IsString()
  @MaxLength(64)
  confirm: string;
}

/** Query of what ends in an operation: `wait=1` answers when the operation has ended. */
export class WaitQuery {
  @IsOptional()
  @IsIn(['0', '1'])
  wait?: '0' | '1';
}

/** Query of `GET /v1/agents/:name/journal`. */
export class JournalQuery {
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(500)
  lines: number = 50;
}

/** Query of `GET /v1/operations`. */
export class OperationsQuery {
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(200)
  limit: number = 50;

  /** Only operations older than this one. */
  @IsOptional()
  @Matches(/^o[1-9]\d{0,14}$/, { message: 'before must be the id of an operation, as o12' })
  before?: string;
}

/** Query of `GET /v1/state-file` and `GET /v1/state-files`. */
export class StateFileQuery {
  @Matches(AGENT_NAME, { message: 'agent must be the name of an agent' })
  agent: string;

  /** Below the agent's state folder, or `/shared/…`; default: the state folder itself. */
  @IsString()
  @MaxLength(4096)
  path: string = '';
}

/** Query of `GET /v1/operations/waiting`. */
export class WaitingOperationsQuery {
  /** The `version` of the answer before: this one comes when something changed since. */
  @IsString()
  @MaxLength(64)
  after: string = '';
}
