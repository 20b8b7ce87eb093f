import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import {
  AGENT_STATES,
  CONTAINERS,
  DELIVERY_STATES,
  DRIVERS,
  MESSAGE_KINDS,
  OPERATION_STATES,
  PRIORITIES,
  RESULT_KINDS,
  ROLES,
  SENDER_KINDS,
  TURN_EVENT_KINDS,
  TURN_STATES,
  WAIT_REASONS,
  WAKE_REASONS,
  type AgentRow,
  type AgentState,
  type Container,
  type Delivery,
  type DeliveryState,
  type Driver,
  type MessageKind,
  type MessageRow,
  type OperationRow,
  type OperationState,
  type Priority,
  type ResultKind,
  type Role,
  type SenderKind,
  type TombstoneRow,
  type TurnEvent,
  type TurnEventKind,
  type TurnRow,
  type TurnState,
  type WaitReason,
  type WakeReason,
} from '#libs/protocol';

/**
 * The rows of libs/protocol as the OpenAPI document describes them. Each class implements its row, so the compiler
 * sees when one of them is no longer true.
 */

const TIME = { type: String, format: 'date-time' } as const;
const ID = { type: String, example: 'm12' } as const;

export class DeliverySchema implements Delivery {
  @ApiProperty() to!: string;
  @ApiProperty({ enum: DELIVERY_STATES }) state!: DeliveryState;
  @ApiProperty(TIME) since!: string;
  @ApiProperty({ type: Number }) attempt!: number;
  @ApiProperty({ type: Number }) hand_outs!: number;
  @ApiPropertyOptional({ enum: WAIT_REASONS }) waits_for?: WaitReason;
  @ApiPropertyOptional() reason?: string;
}

export class MessageSchema implements MessageRow {
  @ApiProperty({ type: Number, description: 'Of two versions of a row the higher wins.' })
  version!: number;
  @ApiProperty(ID) id!: string;
  @ApiProperty(ID) thread_id!: string;
  @ApiPropertyOptional(ID) in_reply_to?: string;
  @ApiProperty() from!: string;
  @ApiProperty({ enum: SENDER_KINDS }) from_kind!: SenderKind;
  @ApiProperty() to!: string;
  @ApiProperty() body!: string;
  @ApiProperty(TIME) sent_at!: string;
  @ApiProperty({ enum: PRIORITIES }) priority!: Priority;
  @ApiProperty({ type: Boolean }) broadcast!: boolean;
  @ApiProperty({ type: Number }) hop!: number;
  @ApiProperty({ enum: MESSAGE_KINDS }) kind!: MessageKind;
  @ApiPropertyOptional() event?: string;
  @ApiPropertyOptional({ type: Boolean }) may_repeat?: boolean;
  @ApiProperty({ type: [DeliverySchema] }) deliveries!: DeliverySchema[];
  @ApiPropertyOptional({
    type: Object,
    additionalProperties: { type: 'number' },
    description: 'Set when there are more than are shown.',
  })
  delivery_counts?: Partial<Record<DeliveryState, number>>;
}

export class LiveTurnSchema {
  @ApiProperty({ example: 't7' }) turn_id!: string;
  @ApiProperty(TIME) started_at!: string;
  @ApiProperty() wake_from!: string;
  @ApiProperty({ enum: WAKE_REASONS }) wake_reason!: WakeReason;
}

export class ReminderCountsSchema {
  @ApiProperty({ type: Number }) pending!: number;
  @ApiProperty({ type: Number }) delivered_24h!: number;
  @ApiProperty({ type: Number }) failed!: number;
}

export class AgentSchema implements AgentRow {
  @ApiProperty({ type: Number }) version!: number;
  @ApiProperty({ description: 'Never used again, even for the same name.' }) agent_id!: string;
  @ApiProperty() name!: string;
  @ApiProperty({ enum: ROLES }) role!: Role;
  @ApiProperty({ enum: DRIVERS }) driver!: Driver;
  @ApiProperty({ type: String, nullable: true }) model!: string | null;
  @ApiProperty({ enum: CONTAINERS, nullable: true }) container!: Container | null;
  @ApiProperty({ enum: AGENT_STATES }) state!: AgentState;
  @ApiProperty({ enum: TURN_STATES }) turn_state!: TurnState;
  @ApiPropertyOptional({ type: LiveTurnSchema }) turn?: LiveTurnSchema;
  @ApiProperty() status_text!: string;
  @ApiProperty({ type: Number }) unread!: number;
  @ApiProperty({ type: ReminderCountsSchema }) reminders!: ReminderCountsSchema;
  @ApiProperty({ type: Number, nullable: true }) context_tokens!: number | null;
  @ApiProperty({ type: Number }) cost_today_usd!: number;
  @ApiProperty({ type: String, nullable: true }) deployed_sha!: string | null;
  @ApiProperty({ type: Boolean }) needs_login!: boolean;
  @ApiProperty({ type: Boolean }) needs_update!: boolean;
  @ApiProperty({ ...TIME, nullable: true }) harness_seen_at!: string | null;
  @ApiProperty() reason!: string;
}

export class TurnSchema implements TurnRow {
  @ApiProperty({ type: Number }) version!: number;
  @ApiProperty({ example: 't7' }) turn_id!: string;
  @ApiProperty() agent!: string;
  @ApiProperty(TIME) started_at!: string;
  @ApiProperty({ ...TIME, nullable: true }) ended_at!: string | null;
  @ApiProperty({ type: Number, nullable: true }) duration_ms!: number | null;
  @ApiProperty({ type: String, nullable: true }) model!: string | null;
  @ApiProperty({ type: Number }) input_tokens!: number;
  @ApiProperty({ type: Number }) output_tokens!: number;
  @ApiProperty({ type: Number }) cache_read_input_tokens!: number;
  @ApiProperty({ type: Number }) cache_creation_input_tokens!: number;
  @ApiProperty({ type: Number, nullable: true }) context_tokens!: number | null;
  @ApiProperty({ type: Number }) tool_call_count!: number;
  @ApiProperty({ type: Object, additionalProperties: { type: 'number' } })
  tool_call_breakdown!: Record<string, number>;
  @ApiProperty({ type: Number }) bytes_streamed!: number;
  @ApiProperty({ enum: WAKE_REASONS }) wake_reason!: WakeReason;
  @ApiProperty() wake_from!: string;
  @ApiProperty({ type: String, nullable: true }) thread_id!: string | null;
  @ApiProperty({ type: String, nullable: true, example: 'r3' }) reminder_id!: string | null;
  @ApiProperty({ enum: RESULT_KINDS, nullable: true }) result_kind!: ResultKind | null;
  @ApiProperty({ type: Number, nullable: true }) cost_usd!: number | null;
  @ApiProperty({ type: Number }) attempt!: number;
  @ApiProperty() note!: string;
}

export class TurnEventSchema implements TurnEvent {
  @ApiProperty({ type: Number, description: 'Counts up from 0 within the turn.' }) n!: number;
  @ApiProperty(TIME) at!: string;
  @ApiProperty({ enum: TURN_EVENT_KINDS }) kind!: TurnEventKind;
  @ApiPropertyOptional() text?: string;
  @ApiPropertyOptional() tool?: string;
  @ApiPropertyOptional() tool_use_id?: string;
  @ApiPropertyOptional({ type: Object }) input?: unknown;
  @ApiPropertyOptional({ type: Boolean }) is_error?: boolean;
}

export class OperationSchema implements OperationRow {
  @ApiProperty({ type: Number }) version!: number;
  @ApiProperty({ example: 'o3' }) id!: string;
  @ApiProperty() kind!: string;
  @ApiProperty({ type: String, nullable: true }) agent!: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'The operation it is a step of.' })
  parent!: string | null;
  @ApiProperty({ enum: OPERATION_STATES }) state!: OperationState;
  @ApiProperty() asked_by!: string;
  @ApiProperty() reason!: string;
  @ApiProperty(TIME) asked_at!: string;
  @ApiProperty({ ...TIME, nullable: true }) started_at!: string | null;
  @ApiProperty({ ...TIME, nullable: true }) ended_at!: string | null;
  @ApiProperty({ type: String, nullable: true }) error!: string | null;
}

export class TombstoneSchema implements TombstoneRow {
  @ApiProperty({ type: Number }) version!: number;
  @ApiProperty() agent_id!: string;
  @ApiProperty() name!: string;
  @ApiProperty({ enum: ROLES }) role!: Role;
  @ApiProperty({ enum: DRIVERS }) driver!: Driver;
  @ApiProperty({ enum: CONTAINERS, nullable: true }) container!: Container | null;
  @ApiProperty({ type: String, nullable: true }) deployed_sha!: string | null;
  @ApiProperty(TIME) created_at!: string;
  @ApiProperty(TIME) destroyed_at!: string;
}
