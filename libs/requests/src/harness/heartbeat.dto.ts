import { ArrayMaxSize, IsArray, IsIn, IsInt, Matches, Max, Min } from 'class-validator';

import { LIMITS, TURN_STATES, type HeartbeatRequest, type TurnState } from '#libs/protocol';

import { COMMAND_ID, MOST } from './shapes.js';

/** `POST /harness/v1/turns/:id/heartbeat`. */
export class HeartbeatDto implements HeartbeatRequest {
  @IsInt()
  @Min(0)
  instance: number;

  @IsIn(TURN_STATES)
  turn_state: TurnState;

  @IsArray()
  @ArrayMaxSize(MOST.ids)
  @Matches(COMMAND_ID, { each: true, message: 'each id in $property must be one of a command' })
  confirm: string[];

  @IsInt()
  @Min(0)
  @Max(LIMITS.heartbeat_wait_seconds)
  wait_seconds: number;
}
