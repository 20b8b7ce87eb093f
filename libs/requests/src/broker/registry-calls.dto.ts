import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsInt,
  IsOptional,
  IsObject,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';

import {
  AGENT_NAME,
  AGENT_STATES,
  CONTAINERS,
  DRIVERS,
  MANAGER_EVENTS,
  ROLES,
  type AgentState,
  type ApprovalRow,
  type Container,
  type Driver,
  type ManagerEvent,
  type NewHiveEvent,
  type Role,
} from '#libs/protocol';

import { IsCounts } from '../harness/counts.validator.js';
import { IsSha256, IsStorable } from './checks.js';

const MOST = Number.MAX_SAFE_INTEGER;
const nullable = ValidateIf((_object, value) => value !== null);
/** Longest name of an operation, in characters. */
const OPERATION_CHARS = 100;
const AGENT_ID = /^[1-9]\d{0,14}$/;

export class RegistryAgentDto {
  @Matches(AGENT_ID, { message: 'agent_id must be a decimal number as text' })
  agent_id: string;

  @Matches(AGENT_NAME)
  name: string;

  @IsIn(ROLES)
  role: Role;

  @IsIn(DRIVERS)
  driver: Driver;

  @nullable
  @IsString()
  model: string | null;

  @nullable
  @IsIn(CONTAINERS)
  container: Container | null;

  @IsSha256()
  token_hash: string;

  @IsIn(AGENT_STATES)
  state: AgentState;

  @IsString()
  @MaxLength(10_000)
  reason: string;

  @IsInt()
  @Min(0)
  @Max(MOST)
  instance: number;

  @IsArray()
  @ArrayMaxSize(10_000)
  @IsString({ each: true })
  allowed_recipients: string[];

  @IsInt()
  @Min(0)
  @Max(MOST)
  quiet_window_ms: number;

  @IsInt()
  @Min(1)
  @Max(MOST)
  inbox_limit: number;

  @IsInt()
  @Min(1)
  @Max(MOST)
  sends_per_minute: number;

  @IsInt()
  @Min(1)
  @Max(MOST)
  send_burst: number;

  @IsInt()
  @Min(0)
  @Max(MOST)
  reminders_pending: number;

  @IsInt()
  @Min(0)
  @Max(MOST)
  reminders_per_hour: number;

  @IsInt()
  @Min(1)
  @Max(MOST)
  reminder_burst: number;

  @IsString()
  run_dir: string;

  @nullable
  @IsString()
  deployed_sha: string | null;
}

export class PutRegistryCall {
  @IsInt()
  @Min(0)
  @Max(MOST)
  revision: number;

  @IsArray()
  @ArrayMaxSize(100_000)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => RegistryAgentDto)
  agents: RegistryAgentDto[];
}

export class PutAgentCall {
  @IsInt()
  @Min(1)
  @Max(MOST)
  revision: number;

  @IsObject()
  @ValidateNested()
  @Type(() => RegistryAgentDto)
  agent: RegistryAgentDto;
}

export class InstanceEndedCall {
  @Matches(AGENT_ID, { message: 'agent_id must be a decimal number as text' })
  agent_id: string;

  @IsInt()
  @Min(1)
  @Max(MOST)
  instance: number;
}

export class OpenRestartWindowCall {
  @Length(1, OPERATION_CHARS)
  operation: string;

  @IsArray()
  @ArrayMaxSize(100_000)
  @Matches(AGENT_ID, { each: true, message: 'each of agents must be a decimal number as text' })
  agents: string[];

  @IsOptional()
  @IsString()
  text?: string;

  @IsOptional()
  @IsCounts(100_000)
  instances?: Record<string, number>;
}

export class CloseRestartWindowCall {
  @Length(1, OPERATION_CHARS)
  @IsStorable()
  operation: string;
}

export class PurgeAgentCall {
  @Matches(AGENT_ID, { message: 'agent_id must be a decimal number as text' })
  agent_id: string;
}

export class PublishCall {
  /** Rows of c0re's own, which the broker passes on as they are. */
  @IsArray()
  @ArrayMaxSize(10_000)
  @IsObject({ each: true })
  events: NewHiveEvent[];
}

export class TellManagerCall {
  @Length(1, OPERATION_CHARS)
  @IsStorable()
  key: string;

  @IsIn(MANAGER_EVENTS)
  event: ManagerEvent;

  @IsString()
  body: string;
}

export class PutWaitingCall {
  /** Rows of c0re's own, which the broker shows as they are. */
  @IsArray()
  @ArrayMaxSize(10_000)
  @IsObject({ each: true })
  approvals: ApprovalRow[];
}
