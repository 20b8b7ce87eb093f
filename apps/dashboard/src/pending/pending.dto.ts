import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';

import {
  LIMITS,
  QUESTION_STATES,
  REMINDER_STATES,
  type QuestionState,
  type ReminderState,
} from '#libs/protocol';
import { IsStorable, IsTextOrTexts } from '#libs/requests';

import { OptionalCount } from '../requests/limit.js';

const MOST_PER_PAGE = 200;
const NAME_CHARS = 32;
const ID_CHARS = 40;
/** Every option, and a text. */
const MOST_PARTS = LIMITS.question_options + 1;

/** What the lists of what waits are asked by. */
export class PendingQueryDto {
  @ApiPropertyOptional({ description: "Only this agent's." })
  @IsOptional()
  @IsString()
  @MaxLength(NAME_CHARS)
  agent?: string;

  @ApiPropertyOptional({ description: 'The `next` of the page before.' })
  @IsOptional()
  @IsString()
  @MaxLength(ID_CHARS)
  before?: string;

  @OptionalCount(MOST_PER_PAGE, 'Rows of one page.')
  limit?: number;
}

export class QuestionsQueryDto extends PendingQueryDto {
  @ApiPropertyOptional({ enum: QUESTION_STATES })
  @IsOptional()
  @IsIn(QUESTION_STATES)
  state?: QuestionState;
}

export class RemindersQueryDto extends PendingQueryDto {
  @ApiPropertyOptional({ enum: REMINDER_STATES })
  @IsOptional()
  @IsIn(REMINDER_STATES)
  state?: ReminderState;
}

export class DeliveriesQueryDto extends PendingQueryDto {
  @ApiPropertyOptional({ enum: ['dead'], default: 'dead' })
  @IsOptional()
  @IsIn(['dead'])
  state?: 'dead';
}

export class AnswerDto {
  @ApiProperty({
    description: 'Free text, or one or several of the options.',
    oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
  })
  @IsStorable({ each: true, message: 'answer may not hold NUL or half a surrogate pair' })
  @IsTextOrTexts(MOST_PARTS)
  answer!: string | string[];
}
