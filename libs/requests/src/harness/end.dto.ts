import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsString,
  Matches,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';

import { LIMITS, RESULT_KINDS, type EndRequest, type ResultKind } from '#libs/protocol';

import { MESSAGE_ID, MOST } from './shapes.js';
import { TurnTelemetryDto } from './telemetry.dto.js';

/** `POST /harness/v1/turns/:id/end`. */
export class EndDto implements EndRequest {
  @IsInt()
  @Min(0)
  instance: number;

  @IsIn(RESULT_KINDS)
  result_kind: ResultKind;

  @ValidateIf((_, value: unknown) => value !== null)
  @IsArray()
  @ArrayMaxSize(MOST.ids)
  @Matches(MESSAGE_ID, { each: true, message: 'each id in $property must be like "m12"' })
  shown: string[] | null;

  @IsString()
  @MaxLength(LIMITS.note_chars)
  note: string;

  @IsObject()
  @ValidateNested()
  @Type(() => TurnTelemetryDto)
  telemetry: TurnTelemetryDto;
}
