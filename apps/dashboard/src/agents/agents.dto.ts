import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  IsBoolean,
  IsIn,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  ValidateIf,
} from 'class-validator';

import { EXTERNAL_LABEL } from '#libs/protocol';
import { IsStorable } from '#libs/requests';

import { OptionalCount } from '../requests/limit.js';

/** Characters of a reason, a model's name and an agent.yaml, as c0re takes them. */
const REASON_CHARS = 200;
const MODEL_CHARS = 200;
const YAML_CHARS = 131_072;
const MOST_PER_PAGE = 200;
const MOST_JOURNAL_LINES = 500;
const MOST_EVENTS = 1000;
const WINDOWS = ['24h', '7d', '30d'] as const;

export class NewAgentDto {
  @ApiProperty({ example: 'scout' })
  @IsString()
  @MaxLength(64)
  name!: string;

  @ApiPropertyOptional({
    type: Object,
    description: 'The keys of agent.yaml. Exactly one of config and yaml.',
  })
  @ValidateIf((body: NewAgentDto) => body.yaml === undefined)
  @IsObject({ message: 'config must be an object with the keys of agent.yaml (or give yaml)' })
  config?: Record<string, unknown>;

  @ApiPropertyOptional({ description: 'The text of agent.yaml; problems name its lines.' })
  @IsOptional()
  @IsStorable()
  @MaxLength(YAML_CHARS)
  yaml?: string;

  @ApiPropertyOptional({
    type: Object,
    additionalProperties: { type: 'string' },
    description: 'Further text files of the config tree by their path in it.',
  })
  @IsOptional()
  @IsObject()
  files?: Record<string, string>;

  @ApiPropertyOptional()
  @IsOptional()
  @IsStorable()
  @MaxLength(REASON_CHARS)
  reason?: string;
}

export class VerbDto {
  @ApiPropertyOptional({ description: 'Why; kept with the operation.' })
  @IsOptional()
  @IsStorable()
  @MaxLength(REASON_CHARS)
  reason?: string;
}

export class ReviveDto extends VerbDto {
  @ApiPropertyOptional({ description: 'Which of several tombstones of that name.', example: '7' })
  @IsOptional()
  @IsString()
  @MaxLength(16)
  agent_id?: string;
}

export class PurgeDto extends ReviveDto {
  @ApiProperty({ description: "The agent's name once more: what is purged is gone for good." })
  @IsString()
  @MaxLength(64)
  confirm!: string;
}

export class WaitDto {
  @ApiPropertyOptional({
    enum: ['0', '1'],
    description: '1: answer when the operation has ended, well or not.',
  })
  @IsOptional()
  @IsIn(['0', '1'])
  wait?: '0' | '1';
}

export class CancelTurnDto {
  @ApiPropertyOptional({ description: 'Close what the turn held instead of holding it.' })
  @IsOptional()
  @IsBoolean()
  discard?: boolean;
}

export class ModelDto {
  @ApiProperty({ example: 'sonnet' })
  @IsStorable()
  @IsNotEmpty()
  @MaxLength(MODEL_CHARS)
  model!: string;
}

export class PageDto {
  @OptionalCount(MOST_PER_PAGE, 'Rows of one page.')
  limit?: number;

  @ApiPropertyOptional({ description: 'The `next` of the page before.' })
  @IsOptional()
  @IsString()
  @MaxLength(40)
  before?: string;
}

export class EventsQueryDto {
  @ApiPropertyOptional({ description: 'Only this turn.', example: 't7' })
  @IsOptional()
  @IsString()
  @MaxLength(40)
  turn_id?: string;

  @OptionalCount(MOST_EVENTS, 'Events at most, the newest.')
  limit?: number;
}

export class StatsQueryDto {
  @ApiPropertyOptional({ enum: WINDOWS, default: '24h' })
  @IsOptional()
  @IsIn(WINDOWS)
  window?: (typeof WINDOWS)[number];
}

export class JournalQueryDto {
  @OptionalCount(MOST_JOURNAL_LINES, 'Lines at most, the newest.')
  lines?: number;
}

export class WakeAgentDto {
  @ApiProperty({ example: 'ci', description: 'Shows as external:LABEL.' })
  @Matches(EXTERNAL_LABEL, {
    message: 'from must be a label of 1 to 32 lower-case letters, digits and dashes',
  })
  from!: string;

  @ApiProperty()
  @IsString()
  body!: string;
}
