import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import {
  NEEDS_YOU_KINDS,
  QUESTION_STATES,
  REMINDER_STATES,
  type DeliveryRow,
  type NeedsYou,
  type NeedsYouKind,
  type OpenThread,
  type QuestionRow,
  type QuestionState,
  type ReminderRow,
  type ReminderState,
} from '#libs/protocol';

import { DeliverySchema, MessageSchema } from './rows.schema.js';

/** What waits for somebody, as the OpenAPI document describes it; each class implements its row of libs/protocol. */

const TIME = { type: String, format: 'date-time' } as const;
const NULLABLE_TIME = { ...TIME, nullable: true } as const;
const NULLABLE_TEXT = { type: String, nullable: true } as const;
const NEXT = { description: 'Give it as `before` to get the next page.' };

export class QuestionSchema implements QuestionRow {
  @ApiProperty({ type: Number }) version!: number;
  @ApiProperty({ example: 'q3' }) id!: string;
  @ApiProperty() asker!: string;
  @ApiProperty({ ...NULLABLE_TEXT, description: 'Null: the operator.' }) target!: string | null;
  @ApiProperty() question!: string;
  @ApiProperty({ type: [String] }) options!: string[];
  @ApiProperty({ type: Boolean }) multi!: boolean;
  @ApiProperty({ enum: QUESTION_STATES }) state!: QuestionState;
  @ApiProperty(TIME) asked_at!: string;
  @ApiProperty(NULLABLE_TIME) deadline_at!: string | null;
  @ApiProperty(NULLABLE_TEXT) answer!: string | null;
  @ApiProperty(NULLABLE_TEXT) answered_by!: string | null;
  @ApiProperty(NULLABLE_TIME) resolved_at!: string | null;
}
export class QuestionAnswerSchema {
  @ApiProperty({ type: QuestionSchema }) question!: QuestionSchema;
}
export class QuestionsSchema {
  @ApiProperty({ type: [QuestionSchema] }) questions!: QuestionSchema[];
  @ApiPropertyOptional(NEXT) next?: string;
}

export class ReminderSchema implements ReminderRow {
  @ApiProperty({ type: Number }) version!: number;
  @ApiProperty({ example: 'r5' }) id!: string;
  @ApiProperty() owner!: string;
  @ApiProperty() message!: string;
  @ApiProperty(TIME) due_at!: string;
  @ApiProperty(NULLABLE_TEXT) every!: string | null;
  @ApiProperty(NULLABLE_TEXT) every_tz!: string | null;
  @ApiProperty({ enum: REMINDER_STATES }) state!: ReminderState;
  @ApiProperty({ type: Number }) occurrence!: number;
  @ApiProperty({ type: Number }) attempt_count!: number;
  @ApiProperty(NULLABLE_TEXT) last_error!: string | null;
  @ApiProperty(NULLABLE_TIME) last_attempt_at!: string | null;
  @ApiProperty(TIME) created_at!: string;
  @ApiProperty(NULLABLE_TEXT) file_path!: string | null;
}
export class ReminderAnswerSchema {
  @ApiProperty({ type: ReminderSchema }) reminder!: ReminderSchema;
}
export class RemindersSchema {
  @ApiProperty({ type: [ReminderSchema] }) reminders!: ReminderSchema[];
  @ApiPropertyOptional(NEXT) next?: string;
}

export class DeliveryRowSchema extends DeliverySchema implements DeliveryRow {
  @ApiProperty({ type: Number }) version!: number;
  @ApiProperty({ example: 'm12.3' }) id!: string;
  @ApiProperty({ type: MessageSchema }) message!: MessageSchema;
}
export class DeliveriesSchema {
  @ApiProperty({ type: [DeliveryRowSchema] }) deliveries!: DeliveryRowSchema[];
  @ApiPropertyOptional(NEXT) next?: string;
}

export class NeedsYouSchema implements NeedsYou {
  @ApiProperty({ enum: NEEDS_YOU_KINDS }) kind!: NeedsYouKind;
  @ApiProperty({ description: 'Stays the same while it is pending.' }) key!: string;
  @ApiProperty() id!: string;
  @ApiProperty() agent!: string;
  @ApiProperty() title!: string;
  @ApiProperty(TIME) since!: string;
  @ApiProperty({ type: Number }) count!: number;
}
export class NeedsYouListSchema {
  @ApiProperty({ type: Number }) version!: number;
  @ApiProperty({ type: [NeedsYouSchema] }) needs_you!: NeedsYouSchema[];
}

export class OpenThreadsSchema {
  @ApiProperty({ type: 'array', items: { type: 'object' } }) threads!: OpenThread[];
  @ApiPropertyOptional({ type: Boolean, description: 'There is more than fits.' })
  truncated?: boolean;
}
