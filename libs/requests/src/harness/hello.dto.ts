import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsInt,
  IsISO8601,
  IsObject,
  IsString,
  Matches,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';

import { DRIVERS, type Driver, type HelloRequest } from '#libs/protocol';

import { EndDto } from './end.dto.js';
import { MOST, TURN_ID } from './shapes.js';

/** An end that the former instance wrote to disk and never got answered (P6). */
export class UnansweredEndDto {
  @Matches(TURN_ID, { message: '$property must be like "t12"' })
  turn_id: string;

  @IsObject()
  @ValidateNested()
  @Type(() => EndDto)
  end: EndDto;
}

/** `POST /harness/v1/hello`. */
export class HelloDto implements HelloRequest {
  @IsInt()
  @Min(0)
  instance: number;

  @IsIn(DRIVERS)
  driver: Driver;

  @ValidateIf((_, value: unknown) => value !== null)
  @IsString()
  @MaxLength(MOST.name_chars)
  model: string | null;

  @IsString()
  @MaxLength(MOST.name_chars)
  hyperhive_rev: string;

  @IsISO8601({ strict: true })
  started_at: string;

  @IsArray()
  @ArrayMaxSize(MOST.ends)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => UnansweredEndDto)
  ends: UnansweredEndDto[];
}
