import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
} from 'class-validator';

import {
  APPROVAL_STATES,
  DIFF_BASES,
  LIMITS,
  type ApprovalState,
  type ApproveBody,
  type DiffBase,
  type ManagerRequestBody,
} from '#libs/protocol';

import { IsRequestId, IsStorable } from '../broker/checks.js';

const APPROVAL_ID = /^a[1-9]\d{0,14}$/;
const WHOLE_SHA = /^[0-9a-f]{40}$/;
/** A commit, or one of the hive's own tags. */
const COMMIT_OR_TAG =
  /^([0-9a-f]{40}|(proposal|approved|building|deployed|failed|denied)\/(0|a[1-9]\d{0,14}))$/;
const MOST_INPUTS = 100;
const INPUT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(\/[A-Za-z0-9][A-Za-z0-9._-]{0,63}){0,7}$/;

/** Query of `GET /v1/approvals`, newest first. */
export class ApprovalsQuery {
  @IsOptional()
  @IsIn(APPROVAL_STATES)
  state?: ApprovalState;

  /** Only those of this agent. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  agent?: string;

  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(200)
  limit: number = 50;

  /** Only approvals older than this one. */
  @IsOptional()
  @Matches(APPROVAL_ID, { message: 'before must be the id of an approval, as a12' })
  before?: string;
}

/** Query of `GET /v1/approvals/:id`. */
export class ApprovalQuery {
  /** What the pinned tree is compared with. */
  @IsOptional()
  @IsIn(DIFF_BASES)
  base?: DiffBase;
}

/** Body of `POST /v1/approvals/:id/approve`. */
export class ApproveRequest implements ApproveBody {
  @ValidateIf((_body, value) => value !== null)
  @Matches(WHOLE_SHA, {
    message: 'sha must be the whole commit that was shown (40 hexadecimal digits), or null',
  })
  sha: string | null;
}

/** Body of `POST /v1/approvals/:id/deny`. */
export class DenyRequest {
  @IsOptional()
  @MaxLength(LIMITS.approval_reason_chars)
  @IsStorable()
  reason?: string;
}

/** Query of `GET /v1/agents/:name/config/file`. */
export class ConfigFileQuery {
  @IsOptional()
  @MaxLength(1024)
  @IsStorable()
  path: string = 'agent.yaml';

  /** A commit or one of the hive's tags; default: what is deployed. */
  @IsOptional()
  @Matches(COMMIT_OR_TAG, { message: 'at must be a whole commit, or a tag as deployed/a3' })
  at?: string;
}

/** Query of `GET /v1/agents/:name/config/diff`. */
export class ConfigDiffQuery {
  /** Default: what is deployed. */
  @IsOptional()
  @Matches(COMMIT_OR_TAG, { message: 'from must be a whole commit, or a tag as deployed/a3' })
  from?: string;

  @Matches(COMMIT_OR_TAG, { message: 'to must be a whole commit, or a tag as deployed/a3' })
  to: string;
}

/** Body of `POST /v1/meta-inputs`. */
export class UpdateMetaInputsRequest {
  /** Default: all. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MOST_INPUTS)
  @Matches(INPUT_NAME, { each: true, message: 'each of inputs must be the name of an input' })
  inputs?: string[];

  @IsOptional()
  @IsString()
  @MaxLength(200)
  reason?: string;
}

/** Query of `GET /v1/audit`, newest first. */
export class AuditQuery {
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(500)
  limit: number = 100;

  @IsOptional()
  @Matches(/^[1-9]\d{0,14}$/, { message: 'before must be the id of a row' })
  before?: string;
}

class ManagerRequest implements ManagerRequestBody {
  /** Repeated with the same id it changes nothing (P11). */
  @IsRequestId()
  request_id: string;

  @IsOptional()
  @MaxLength(LIMITS.approval_description_chars)
  @IsStorable()
  description?: string;
}

/** Body of `POST /v1/manager/init-config` and `POST /v1/manager/spawn`. */
export class ManagerNameRequest extends ManagerRequest {
  @IsString()
  @MaxLength(64)
  name: string;
}

/** Body of `POST /v1/manager/apply-commit`. */
export class ManagerCommitRequest extends ManagerRequest {
  @IsString()
  @MaxLength(64)
  agent: string;

  @Matches(/^[0-9a-f]{7,40}$/, {
    message:
      'commit_ref must be a commit as 7 to 40 lower-case hexadecimal digits, no branch or tag',
  })
  commit_ref: string;
}

/** Body of `POST /v1/manager/meta-inputs`. */
export class ManagerInputsRequest extends ManagerRequest {
  /** Default: all. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MOST_INPUTS)
  @Matches(INPUT_NAME, { each: true, message: 'each of inputs must be the name of an input' })
  inputs?: string[];
}

/** Body of `POST /v1/manager/agents/:name/{start,stop,restart,rebuild}` and `POST /v1/manager/restart-all`. */
export class ManagerVerbRequest {
  @IsRequestId()
  request_id: string;
}

/** Body of `POST /v1/manager/cancels`. */
export class ManagerCancelRequest extends ManagerVerbRequest {
  @IsIn(['question', 'reminder'])
  kind: 'question' | 'reminder';

  /** Of the question or reminder. */
  @Matches(/^[qr][1-9]\d{0,14}$/, { message: 'id must be like "q3" or "r5"' })
  id: string;
}
