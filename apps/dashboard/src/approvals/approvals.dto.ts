import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  ValidateIf,
} from 'class-validator';

import {
  APPROVAL_STATES,
  DIFF_BASES,
  LIMITS,
  type ApprovalState,
  type DiffBase,
} from '#libs/protocol';

import { OptionalCount } from '../requests/limit.js';

const MOST_PER_PAGE = 200;
const MOST_AUDIT = 500;
const COMMIT = /^[0-9a-f]{40}$/;
const COMMIT_OR_TAG =
  /^([0-9a-f]{40}|(proposal|approved|building|deployed|failed|denied)\/(0|a[1-9]\d{0,14}))$/;

export class ApprovalsQueryDto {
  @ApiPropertyOptional({ enum: APPROVAL_STATES })
  @IsOptional()
  @IsIn(APPROVAL_STATES)
  state?: ApprovalState;

  @ApiPropertyOptional({ description: 'Only those of this agent.' })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  agent?: string;

  @OptionalCount(MOST_PER_PAGE, 'Approvals of one page.')
  limit?: number;

  @ApiPropertyOptional({ description: 'The `next` of the page before.', example: 'a12' })
  @IsOptional()
  @IsString()
  @MaxLength(40)
  before?: string;
}

export class BaseDto {
  @ApiPropertyOptional({
    enum: DIFF_BASES,
    description:
      'What the pinned tree is compared with: what runs (default), what was approved last before it, what was queued before it, or nothing.',
  })
  @IsOptional()
  @IsIn(DIFF_BASES)
  base?: DiffBase;
}

export class ApproveDto {
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The whole commit that was shown; null where none belongs to it.',
  })
  @ValidateIf((_body, value) => value !== null)
  @Matches(COMMIT, {
    message: 'sha must be the whole commit that was shown (40 hexadecimal digits), or null',
  })
  sha!: string | null;
}

export class DenyDto {
  @ApiPropertyOptional({ description: 'Why; the manager is told.' })
  @IsOptional()
  @IsString()
  @MaxLength(LIMITS.approval_reason_chars)
  reason?: string;
}

export class ConfigFileQueryDto {
  @ApiPropertyOptional({ default: 'agent.yaml' })
  @IsOptional()
  @IsString()
  @MaxLength(1024)
  path?: string;

  @ApiPropertyOptional({ description: 'A commit or a tag; default: what is deployed.' })
  @IsOptional()
  @Matches(COMMIT_OR_TAG, { message: 'at must be a whole commit, or a tag as deployed/a3' })
  at?: string;
}

export class ConfigDiffQueryDto {
  @ApiPropertyOptional({ description: 'A commit or a tag; default: what is deployed.' })
  @IsOptional()
  @Matches(COMMIT_OR_TAG, { message: 'from must be a whole commit, or a tag as deployed/a3' })
  from?: string;

  @ApiProperty({ description: 'A commit or a tag.' })
  @Matches(COMMIT_OR_TAG, { message: 'to must be a whole commit, or a tag as deployed/a3' })
  to!: string;
}

export class UpdateInputsDto {
  @ApiPropertyOptional({ type: [String], description: 'Names of inputs; default: all.' })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @MaxLength(600, { each: true })
  inputs?: string[];

  @ApiPropertyOptional({ description: 'Why; kept in the audit log.' })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  reason?: string;
}

export class AuditQueryDto {
  @OptionalCount(MOST_AUDIT, 'Rows of one page.')
  limit?: number;

  @ApiPropertyOptional({ description: 'The `next` of the page before.' })
  @IsOptional()
  @Matches(/^[1-9]\d{0,14}$/, { message: 'before must be the id of a row' })
  before?: string;
}
