import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';

import { LIMITS } from '#libs/protocol';

import { EndDto } from '../harness/end.dto.js';
import { EventsDto } from '../harness/events.dto.js';
import { HeartbeatDto } from '../harness/heartbeat.dto.js';
import { HelloDto } from '../harness/hello.dto.js';
import { PollDto } from '../harness/poll.dto.js';
import { MESSAGE_ID, TURN_ID } from '../harness/shapes.js';
import { WakeDto } from '../harness/wake.dto.js';
import { IsRequestId, IsSha256, IsStorable } from './checks.js';

/** Longest session id and idempotency key, in characters. */
export const KEY_CHARS = 200;

/** A call of broker-gateway.sock with nothing but the hash of a token. */
export class CallerCall {
  @IsSha256()
  credential: string;
}

/** `session_closed`. */
export class SessionCall extends CallerCall {
  @Length(1, KEY_CHARS)
  session: string;
}

/** `get_thread`. */
export class ThreadCall extends CallerCall {
  @IsString()
  @MaxLength(KEY_CHARS)
  id: string;
}

/** `search_messages`. */
export class SearchMessagesCall extends CallerCall {
  @IsStorable()
  @Length(1, LIMITS.search_query_chars)
  query: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(LIMITS.search_results)
  limit?: number;
}

/** `set_status`. */
export class StatusCall extends CallerCall {
  @IsStorable()
  @MaxLength(LIMITS.status_chars, {
    message: `text must be at most ${LIMITS.status_chars} characters; say it shorter`,
  })
  text: string;
}

/** `ack`. */
export class AckCall extends SessionCall {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1000)
  @Matches(MESSAGE_ID, { each: true, message: 'each id in $property must be like "m12"' })
  ids: string[];
}

/** `wake`. */
export class WakeCall extends WakeDto {
  @IsSha256()
  credential: string;

  @IsRequestId()
  request_id: string;
}

/** `hello`. */
export class HelloCall extends HelloDto {
  @IsSha256()
  credential: string;
}

/** `poll_turn`. */
export class PollCall extends PollDto {
  @IsSha256()
  credential: string;
}

/** `heartbeat`. */
export class HeartbeatCall extends HeartbeatDto {
  @IsSha256()
  credential: string;

  @Matches(TURN_ID, { message: '$property must be like "t12"' })
  turn_id: string;
}

/** `turn_events`. */
export class EventsCall extends EventsDto {
  @IsSha256()
  credential: string;

  @Matches(TURN_ID, { message: '$property must be like "t12"' })
  turn_id: string;
}

/** `end_turn`. */
export class EndCall extends CallerCall {
  @Matches(TURN_ID, { message: '$property must be like "t12"' })
  turn_id: string;

  @IsObject()
  @ValidateNested()
  @Type(() => EndDto)
  end: EndDto;
}
