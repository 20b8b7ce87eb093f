import {
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateBy,
} from 'class-validator';

import { AGENT_NAME, LIMITS, REMINDER_STATES, type ReminderState } from '#libs/protocol';

import { KEY_CHARS, SessionCall } from './agent-calls.dto.js';
import { IsRequestId, MayBeLeftOut } from './checks.js';

const REMINDER_ID = /^r[1-9]\d{0,14}$/;

/** `remind`. What the values mean is checked by the broker, which can say more about it. */
export class RemindCall extends SessionCall {
  @IsRequestId()
  request_id: string;

  @IsString()
  message: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(LIMITS.reminder_days * 86_400)
  delay_seconds?: number;

  @IsOptional()
  @ValidateBy({
    name: 'isTime',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'number'
          ? Number.isFinite(value)
          : typeof value === 'string' && value.length <= 64,
      defaultMessage: () => 'at must be ISO 8601 with an offset, or unix seconds',
    },
  })
  at?: string | number;

  @IsOptional()
  @IsString()
  @MaxLength(KEY_CHARS)
  every?: string;

  @IsOptional()
  @IsString()
  @MaxLength(KEY_CHARS)
  every_tz?: string;

  @IsOptional()
  @IsString()
  @Length(1, 1000)
  file_path?: string;
}

/** `cancel_reminder` of an agent. */
export class CancelReminderCall extends SessionCall {
  @IsRequestId()
  request_id: string;

  @IsString()
  @MaxLength(KEY_CHARS)
  id: string;
}

/** `reminders` of the operator. */
export class RemindersCall {
  @IsOptional()
  @Matches(AGENT_NAME, { message: "agent must be an agent's name" })
  agent?: string;

  @IsOptional()
  @IsIn(REMINDER_STATES)
  state?: ReminderState;

  @IsOptional()
  @Matches(REMINDER_ID, { message: 'before must be like "r12"' })
  before?: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(200)
  limit?: number;
}

/** `retry_reminder` and `cancel_reminder` of the operator. */
export class ReminderCall {
  @MayBeLeftOut()
  @IsRequestId()
  request_id?: string;

  @Matches(REMINDER_ID, { message: '$property must be like "r12"' })
  id: string;
}
