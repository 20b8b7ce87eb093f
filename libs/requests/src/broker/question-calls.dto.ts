import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
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

import { AGENT_NAME, LIMITS, QUESTION_STATES, type QuestionState } from '#libs/protocol';

import { CallerCall, KEY_CHARS, SessionCall } from './agent-calls.dto.js';
import { IsRequestId, IsStorable, IsTextOrTexts, MayBeLeftOut } from './checks.js';

/** Every option, and words of one's own. */
const ANSWER_PARTS = LIMITS.question_options + 1;
/** Jobs of one batch. */
const BATCH = 1000;
/** Rows of a page at most. */
const PAGE_MOST = 200;
const NAME_MUST = "agent must be an agent's name";

/** `ask`. */
export class AskCall extends SessionCall {
  @IsRequestId()
  request_id: string;

  @IsString()
  question: string;

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(LIMITS.question_options, {
    message: `options must be at most ${LIMITS.question_options}; ask in a narrower way`,
  })
  @Length(1, LIMITS.question_option_chars, {
    each: true,
    message: `each option must be 1 to ${LIMITS.question_option_chars} characters`,
  })
  @IsStorable({ each: true, message: 'no option may hold NUL or half a surrogate pair' })
  @ArrayUnique({ message: 'the options must differ' })
  options?: string[];

  @IsOptional()
  @IsBoolean()
  multi?: boolean;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(LIMITS.question_ttl_seconds, {
    message: `ttl_seconds must be at most ${LIMITS.question_ttl_seconds} (six hours); without it the question stays open`,
  })
  ttl_seconds?: number;

  @IsOptional()
  @IsString()
  @MaxLength(KEY_CHARS)
  to?: string;
}

/** `answer`. */
export class AnswerCall extends SessionCall {
  @IsRequestId()
  request_id: string;

  @IsString()
  @MaxLength(KEY_CHARS)
  id: string;

  @IsTextOrTexts(ANSWER_PARTS)
  answer: string | string[];
}

/** `cancel_ask`. */
export class CancelAskCall extends SessionCall {
  @IsRequestId()
  request_id: string;

  @IsString()
  @MaxLength(KEY_CHARS)
  id: string;
}

/** `get_open_threads`. */
export class OpenThreadsCall extends CallerCall {
  @IsOptional()
  @IsIn(['mine', 'hive'])
  scope?: 'mine' | 'hive';
}

/** `answer_question` of the operator. */
export class AnswerQuestionCall {
  @IsRequestId()
  request_id: string;

  @IsString()
  @MaxLength(KEY_CHARS)
  id: string;

  @IsTextOrTexts(ANSWER_PARTS)
  answer: string | string[];
}

/** `cancel_question` of the operator. */
export class CancelQuestionCall {
  @MayBeLeftOut()
  @IsRequestId()
  request_id?: string;

  @IsString()
  @MaxLength(KEY_CHARS)
  id: string;
}

/** `questions` of the operator. */
export class QuestionsCall {
  @IsOptional()
  @Matches(AGENT_NAME, { message: `${NAME_MUST} or "operator"` })
  agent?: string;

  @IsOptional()
  @IsIn(QUESTION_STATES)
  state?: QuestionState;

  @IsOptional()
  @Matches(/^q[1-9]\d{0,14}$/, { message: 'before must be a question id like q3' })
  before?: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(PAGE_MOST)
  limit?: number;
}

/** `agent_threads` of the operator. */
export class AgentThreadsCall {
  @Matches(AGENT_NAME, { message: NAME_MUST })
  agent: string;
}

class DeadlineJobDto {
  @IsString()
  @MaxLength(KEY_CHARS)
  id: string;
}

/** `expire_questions` of the scheduler. */
export class ExpireQuestionsCall {
  @IsArray()
  @ArrayMaxSize(BATCH)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => DeadlineJobDto)
  jobs: DeadlineJobDto[];
}
