import { IsInt, IsISO8601, IsNumber, IsString, MaxLength, Min, ValidateIf } from 'class-validator';

import type { TurnTelemetry } from '#libs/protocol';

import { IsCounts } from './counts.validator.js';
import { MOST } from './shapes.js';

const isNotNull = (_: unknown, value: unknown): boolean => value !== null;

/** What a turn cost and did (PRODUCT 6.1). */
export class TurnTelemetryDto implements TurnTelemetry {
  @IsISO8601({ strict: true })
  started_at: string;

  @IsISO8601({ strict: true })
  ended_at: string;

  @IsInt()
  @Min(0)
  duration_ms: number;

  @ValidateIf(isNotNull)
  @IsString()
  @MaxLength(MOST.name_chars)
  model: string | null;

  @IsInt()
  @Min(0)
  input_tokens: number;

  @IsInt()
  @Min(0)
  output_tokens: number;

  @IsInt()
  @Min(0)
  cache_read_input_tokens: number;

  @IsInt()
  @Min(0)
  cache_creation_input_tokens: number;

  @ValidateIf(isNotNull)
  @IsInt()
  @Min(0)
  context_tokens: number | null;

  @IsInt()
  @Min(0)
  tool_call_count: number;

  @IsCounts(MOST.tools)
  tool_call_breakdown: Record<string, number>;

  @IsInt()
  @Min(0)
  bytes_streamed: number;

  @ValidateIf(isNotNull)
  @IsNumber({ allowNaN: false, allowInfinity: false })
  @Min(0)
  cost_usd: number | null;
}
