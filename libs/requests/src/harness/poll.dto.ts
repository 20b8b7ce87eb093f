import { ArrayMaxSize, IsArray, IsInt, Matches, Max, Min, ValidateIf } from 'class-validator';

import { LIMITS, type PollRequest } from '#libs/protocol';

import { COMMAND_ID, MOST, SHA256_HEX, TURN_ID } from './shapes.js';

/** `POST /harness/v1/turns`. */
export class PollDto implements PollRequest {
  @IsInt()
  @Min(0)
  instance: number;

  @Matches(SHA256_HEX, {
    message: '$property must be the sha-256 of the run token as 64 lower-case hex digits',
  })
  run_token_hash: string;

  @ValidateIf((_, value: unknown) => value !== null)
  @Matches(TURN_ID, { message: '$property must be like "t12", or null before the first turn' })
  last_turn_id: string | null;

  @IsInt()
  @Min(0)
  @Max(LIMITS.poll_wait_seconds)
  wait_seconds: number;

  @IsArray()
  @ArrayMaxSize(MOST.ids)
  @Matches(COMMAND_ID, { each: true, message: 'each id in $property must be one of a command' })
  confirm: string[];
}
