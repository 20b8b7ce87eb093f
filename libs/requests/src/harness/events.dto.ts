import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsISO8601,
  IsObject,
  IsOptional,
  IsString,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';

import {
  LIMITS,
  TURN_EVENT_KINDS,
  type EventsRequest,
  type TurnEvent,
  type TurnEventKind,
} from '#libs/protocol';

import { IsJsonWithin } from './json-within.validator.js';
import { MOST } from './shapes.js';

/** One live event of a turn. */
export class TurnEventDto implements TurnEvent {
  @IsInt()
  @Min(0)
  n: number;

  @IsISO8601({ strict: true })
  at: string;

  @IsIn(TURN_EVENT_KINDS)
  kind: TurnEventKind;

  @IsOptional()
  @IsString()
  @IsJsonWithin(LIMITS.turn_event_bytes)
  text?: string;

  @IsOptional()
  @IsString()
  @MaxLength(MOST.name_chars)
  tool?: string;

  @IsOptional()
  @IsString()
  @MaxLength(MOST.name_chars)
  tool_use_id?: string;

  @IsOptional()
  @IsJsonWithin(LIMITS.turn_event_bytes)
  input?: unknown;

  @IsOptional()
  @IsBoolean()
  is_error?: boolean;
}

/** `POST /harness/v1/turns/:id/events`. */
export class EventsDto implements EventsRequest {
  @IsInt()
  @Min(0)
  instance: number;

  @IsArray()
  @ArrayMaxSize(LIMITS.turn_events_per_batch)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => TurnEventDto)
  events: TurnEventDto[];
}
