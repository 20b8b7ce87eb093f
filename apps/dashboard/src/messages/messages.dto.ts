import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Length, MaxLength, ValidateBy } from 'class-validator';

import { LIMITS, PRIORITIES, type NewMessage, type Priority } from '#libs/protocol';
import { IsStorable } from '#libs/requests';

import { OptionalCount } from '../requests/limit.js';

/** Characters of an idempotency key. */
const KEY_CHARS = 200;
/** Characters of a text that is searched for. */
const QUERY_CHARS = LIMITS.search_query_chars;
/** Messages of one page of a list. */
const MOST_PER_PAGE = 200;

const isNameOrNames = ValidateBy({
  name: 'isNameOrNames',
  validator: {
    validate: (value: unknown) =>
      typeof value === 'string' ||
      (Array.isArray(value) &&
        value.length > 0 &&
        value.length <= LIMITS.recipients &&
        value.every((item) => typeof item === 'string')),
    defaultMessage: () =>
      `to must be an agent's name, a list of 1 to ${LIMITS.recipients} names, or "*"`,
  },
});

export class NewMessageDto implements NewMessage {
  @ApiProperty({
    description: "An agent's name.",
    oneOf: [
      { type: 'string' },
      { type: 'array', items: { type: 'string' }, maxItems: LIMITS.recipients },
    ],
  })
  @IsStorable({ each: true, message: 'to may not hold NUL or half a surrogate pair' })
  @isNameOrNames
  to!: string | string[];

  @ApiProperty({ description: `At most ${LIMITS.body_bytes} bytes of UTF-8.` })
  @IsString()
  body!: string;

  @ApiPropertyOptional({ description: 'Id of the message that this answers.', example: 'm12' })
  @IsOptional()
  @IsStorable()
  @MaxLength(40)
  in_reply_to?: string;

  @ApiPropertyOptional({ enum: PRIORITIES, default: 'normal' })
  @IsOptional()
  @IsIn(PRIORITIES)
  priority?: Priority;

  @ApiPropertyOptional({ description: 'The same key gives the first result again for 24 hours.' })
  @IsOptional()
  @IsStorable()
  @Length(1, KEY_CHARS)
  idempotency_key?: string;
}

export class MessagesQueryDto {
  @ApiPropertyOptional({ description: 'Only this thread.', example: 'm12' })
  @IsOptional()
  @IsString()
  thread?: string;

  @ApiPropertyOptional({ description: 'Only what this agent (or `operator`) sent or received.' })
  @IsOptional()
  @IsString()
  @MaxLength(32)
  agent?: string;

  @ApiPropertyOptional({
    description: 'Only what holds these words, the last one as it begins; with `limit` up to 50.',
  })
  @IsOptional()
  @IsStorable()
  @Length(1, QUERY_CHARS)
  q?: string;

  @ApiPropertyOptional({ description: 'Only older ones than this message.', example: 'm12' })
  @IsOptional()
  @IsString()
  before?: string;

  @OptionalCount(MOST_PER_PAGE, 'Messages of one page.')
  limit?: number;
}
