import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import type {
  AgentDetail,
  AgentStats,
  ErrorBody,
  ErrorCode,
  SendResult,
  StateSnapshot,
} from '#libs/protocol';

import { ApprovalSchema, MetaInputSchema } from './approvals.schema.js';
import { NeedsYouSchema, QuestionSchema, ReminderSchema } from './pending.schema.js';
import {
  AgentSchema,
  MessageSchema,
  OperationSchema,
  TombstoneSchema,
  TurnEventSchema,
  TurnSchema,
} from './rows.schema.js';

/** The answers of the API as the OpenAPI document describes them; each implements its type of libs/protocol. */

const TIME = { type: String, format: 'date-time' } as const;
const NEXT = { description: 'Give it as `before` to get the next page.' };
const COUNTS = { type: Object, additionalProperties: { type: 'number' } } as const;

class ErrorDetailSchema {
  @ApiProperty({ type: String, example: 'body_too_long' }) code!: ErrorCode;
  @ApiProperty({ description: 'What was wrong, the limit, and what to do.' }) message!: string;
  @ApiPropertyOptional({ type: Object }) details?: unknown;
}
export class ErrorSchema implements ErrorBody {
  @ApiProperty({ type: ErrorDetailSchema }) error!: ErrorDetailSchema;
}

export class StateSchema implements StateSnapshot {
  @ApiProperty({ description: 'Place in the event stream: give it as `after` to /events.' })
  seq!: string;
  @ApiProperty({ type: [AgentSchema] }) agents!: AgentSchema[];
  @ApiProperty({ type: [OperationSchema] }) operations!: OperationSchema[];
  @ApiProperty({ type: [TombstoneSchema] }) tombstones!: TombstoneSchema[];
  @ApiProperty({ type: [MessageSchema] }) messages!: MessageSchema[];
  @ApiProperty({ type: [TurnSchema] }) turns!: TurnSchema[];
  @ApiProperty({ type: [QuestionSchema] }) questions!: QuestionSchema[];
  @ApiProperty({ type: [ReminderSchema] }) reminders_failed!: ReminderSchema[];
  @ApiProperty({ type: [NeedsYouSchema] }) needs_you!: NeedsYouSchema[];
  @ApiProperty({ type: [ApprovalSchema], description: 'Those that wait, and the newest others.' })
  approvals!: ApprovalSchema[];
  @ApiProperty({ type: [MetaInputSchema] }) meta_inputs!: MetaInputSchema[];
}

export class SentSchema implements SendResult {
  @ApiProperty() id!: string;
  @ApiProperty() thread_id!: string;
  @ApiProperty({ type: [String] }) recipients!: string[];
  @ApiPropertyOptional({ description: 'Says when something was ignored or repeated.' })
  note?: string;
}

export class MessageAnswerSchema {
  @ApiProperty({ type: MessageSchema }) message!: MessageSchema;
}
export class MessagesSchema {
  @ApiProperty({ type: [MessageSchema] }) messages!: MessageSchema[];
  @ApiPropertyOptional(NEXT) next?: string;
}

export class AgentDetailSchema extends AgentSchema implements AgentDetail {
  @ApiProperty({ type: Number }) instance!: number;
  @ApiProperty({ type: Number, nullable: true }) pid!: number | null;
  @ApiProperty(TIME) created_at!: string;
}
export class AgentAnswerSchema {
  @ApiProperty({ type: AgentDetailSchema }) agent!: AgentDetailSchema;
}
export class ReleasedSchema {
  @ApiProperty({ type: AgentSchema }) agent!: AgentSchema;
}
export class CommandSchema {
  @ApiProperty({ description: 'Id of the command that waits for the harness.' }) id!: string;
}
export class TurnsSchema {
  @ApiProperty({ type: [TurnSchema] }) turns!: TurnSchema[];
  @ApiPropertyOptional(NEXT) next?: string;
}
class TurnEventOfTurnSchema {
  @ApiProperty() turn_id!: string;
  @ApiProperty({ type: TurnEventSchema }) event!: TurnEventSchema;
}
export class TurnEventsSchema {
  @ApiProperty({ type: [TurnEventOfTurnSchema] }) events!: TurnEventOfTurnSchema[];
}
export class JournalSchema {
  @ApiProperty() agent!: string;
  @ApiProperty({ type: [String] }) lines!: string[];
}

class StatsBucketSchema {
  @ApiProperty(TIME) at!: string;
  @ApiProperty({ type: Number }) turns!: number;
  @ApiProperty({ type: Number, nullable: true }) p50_ms!: number | null;
  @ApiProperty({ type: Number, nullable: true }) p95_ms!: number | null;
  @ApiProperty({ type: Number }) input_tokens!: number;
  @ApiProperty({ type: Number }) output_tokens!: number;
  @ApiProperty({ type: Number }) cost_usd!: number;
  @ApiProperty({ type: Number, nullable: true }) context_tokens_max!: number | null;
}
class TokenSumsSchema {
  @ApiProperty({ type: Number }) input!: number;
  @ApiProperty({ type: Number }) output!: number;
  @ApiProperty({ type: Number }) cache_read!: number;
  @ApiProperty({ type: Number }) cache_creation!: number;
}
class CauseCostSchema {
  @ApiProperty({ type: Number }) turns!: number;
  @ApiProperty({ type: Number }) cost_usd!: number;
}
class ThreadCostSchema extends CauseCostSchema {
  @ApiProperty({ example: 'm12' }) thread_id!: string;
}
class ReminderCostSchema extends CauseCostSchema {
  @ApiProperty({ example: 'r3' }) reminder_id!: string;
}
export class StatsSchema implements AgentStats {
  @ApiProperty({ enum: ['24h', '7d', '30d'] }) window!: AgentStats['window'];
  @ApiProperty({ type: Number }) turns!: number;
  @ApiProperty({ type: [StatsBucketSchema] }) by_bucket!: StatsBucketSchema[];
  @ApiProperty(COUNTS) tools!: Record<string, number>;
  @ApiProperty(COUNTS) wake_mix!: Record<string, number>;
  @ApiProperty(COUNTS) result_mix!: Record<string, number>;
  @ApiProperty({ type: TokenSumsSchema }) tokens!: TokenSumsSchema;
  @ApiProperty({ type: Number }) cost_usd!: number;
  @ApiProperty({ type: [ThreadCostSchema], description: 'The dearest first, at most 20.' })
  cost_by_thread!: ThreadCostSchema[];
  @ApiProperty({ type: [ReminderCostSchema], description: 'The dearest first, at most 20.' })
  cost_by_reminder!: ReminderCostSchema[];
}

export class OperationAnswerSchema {
  @ApiProperty({ type: OperationSchema }) operation!: OperationSchema;
}
export class OperationsSchema {
  @ApiProperty({ type: [OperationSchema] }) operations!: OperationSchema[];
  @ApiPropertyOptional(NEXT) next?: string;
}
export class TombstonesSchema {
  @ApiProperty({ type: [TombstoneSchema] }) tombstones!: TombstoneSchema[];
}

export class LoginLinkSchema {
  @ApiProperty() url!: string;
  @ApiProperty(TIME) expires_at!: string;
}
export class WsTicketSchema {
  @ApiProperty() ticket!: string;
  @ApiProperty(TIME) expires_at!: string;
}
