import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import {
  APPROVAL_KINDS,
  APPROVAL_STATES,
  DIFF_BASES,
  type AgentConfig,
  type ApprovalKind,
  type ApprovalRow,
  type ApprovalState,
  type AuditRow,
  type C0reAnswers,
  type ConfigDiff,
  type ConfigHistoryEntry,
  type DiffBase,
  type MetaInput,
  type MetaLogEntry,
} from '#libs/protocol';

/** Approvals, configs and the audit log as the OpenAPI document describes them. */

const TIME = { type: String, format: 'date-time' } as const;
const TIME_OR_NULL = { ...TIME, nullable: true } as const;
const TEXT_OR_NULL = { type: String, nullable: true } as const;
const NEXT = { description: 'Give it as `before` to get the next page.' };

class BasesSchema {
  @ApiProperty(TEXT_OR_NULL) running!: string | null;
  @ApiProperty(TEXT_OR_NULL) approved!: string | null;
  @ApiProperty(TEXT_OR_NULL) queued!: string | null;
}

export class ApprovalSchema implements ApprovalRow {
  @ApiProperty({ type: Number }) version!: number;
  @ApiProperty({ example: 'a3' }) id!: string;
  @ApiProperty({ enum: APPROVAL_KINDS }) kind!: ApprovalKind;
  @ApiProperty({ enum: APPROVAL_STATES }) state!: ApprovalState;
  @ApiProperty(TEXT_OR_NULL) agent!: string | null;
  @ApiProperty(TEXT_OR_NULL) commit_ref!: string | null;
  @ApiProperty({ ...TEXT_OR_NULL, description: 'The pinned commit: what approve has to name.' })
  sha!: string | null;
  @ApiProperty({ type: [String] }) inputs!: string[];
  @ApiProperty() description!: string;
  @ApiProperty() requested_by!: string;
  @ApiProperty(TIME) requested_at!: string;
  @ApiProperty({ type: BasesSchema }) bases!: BasesSchema;
  @ApiProperty(TEXT_OR_NULL) decided_by!: string | null;
  @ApiProperty(TIME_OR_NULL) decided_at!: string | null;
  @ApiProperty({ ...TEXT_OR_NULL, description: 'Why it was denied.' }) reason!: string | null;
  @ApiProperty({ ...TEXT_OR_NULL, description: 'Why it failed.' }) error!: string | null;
  @ApiProperty(TIME_OR_NULL) resolved_at!: string | null;
}
export class ApprovalAnswerSchema {
  @ApiProperty({ type: ApprovalSchema }) approval!: ApprovalSchema;
}
export class ApprovalsSchema {
  @ApiProperty({ type: [ApprovalSchema] }) approvals!: ApprovalSchema[];
  @ApiPropertyOptional(NEXT) next?: string;
}

export class ConfigDiffSchema implements ConfigDiff {
  @ApiProperty({ ...TEXT_OR_NULL, description: 'null: the empty tree.' }) from!: string | null;
  @ApiProperty() to!: string;
  @ApiProperty({ description: 'A unified diff.' }) diff!: string;
  @ApiPropertyOptional({ type: Boolean }) truncated?: true;
}
export class ApprovalDetailSchema extends ApprovalAnswerSchema {
  @ApiProperty({ enum: DIFF_BASES }) base!: DiffBase;
  @ApiProperty({ type: ConfigDiffSchema }) diff!: ConfigDiffSchema;
}

class HistoryEntrySchema implements ConfigHistoryEntry {
  @ApiProperty({ example: 'deployed/a3' }) tag!: string;
  @ApiProperty() sha!: string;
  @ApiProperty({ enum: APPROVAL_STATES }) state!: ApprovalState;
  @ApiProperty(TIME) at!: string;
  @ApiProperty() subject!: string;
  @ApiProperty({ description: 'The reason of a denial, the error of a failure.' }) note!: string;
}
export class ConfigSchema implements Record<keyof C0reAnswers['config_history'], unknown> {
  @ApiProperty() agent!: string;
  @ApiProperty(TEXT_OR_NULL) deployed_sha!: string | null;
  @ApiProperty({ type: Object, description: 'agent.yaml with every default filled in.' })
  config!: AgentConfig;
  @ApiProperty({ type: [HistoryEntrySchema], description: 'Every commit, newest first.' })
  history!: HistoryEntrySchema[];
}
export class ConfigFileSchema implements Record<keyof C0reAnswers['config_file'], unknown> {
  @ApiProperty() agent!: string;
  @ApiProperty() sha!: string;
  @ApiProperty() path!: string;
  @ApiProperty() text!: string;
  @ApiProperty({ type: [String], description: 'All files of that tree.' }) files!: string[];
}

export class MetaInputSchema implements MetaInput {
  @ApiProperty() name!: string;
  @ApiProperty() url!: string;
  @ApiProperty() rev!: string;
  @ApiProperty({ ...TEXT_OR_NULL, description: 'What an update would bring; null: not known.' })
  newest!: string | null;
  @ApiProperty(TIME) updated_at!: string;
}
class MetaLogSchema implements MetaLogEntry {
  @ApiProperty() sha!: string;
  @ApiProperty(TIME) at!: string;
  @ApiProperty() message!: string;
}
export class MetaInputsSchema {
  @ApiProperty({ type: [MetaInputSchema] }) meta_inputs!: MetaInputSchema[];
  @ApiProperty({ type: [MetaLogSchema], description: 'Successful deploys, newest first.' })
  log!: MetaLogSchema[];
}

class AuditRowSchema implements AuditRow {
  @ApiProperty() id!: string;
  @ApiProperty(TIME) at!: string;
  @ApiProperty() who!: string;
  @ApiProperty() via!: string;
  @ApiProperty() action!: string;
  @ApiProperty(TEXT_OR_NULL) target!: string | null;
  @ApiProperty() result!: string;
}
export class AuditSchema {
  @ApiProperty({ type: [AuditRowSchema] }) audit!: AuditRowSchema[];
  @ApiPropertyOptional(NEXT) next?: string;
}
