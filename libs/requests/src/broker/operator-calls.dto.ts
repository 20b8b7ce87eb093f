import { IsBoolean, IsIn, IsInt, IsOptional, Length, Matches, Max, Min } from 'class-validator';

import { AGENT_NAME, COMMAND_KINDS, LIMITS, type CommandKind } from '#libs/protocol';

import { DELIVERY_ID, MESSAGE_ID } from '../harness/shapes.js';
import { WakeDto } from '../harness/wake.dto.js';
import { IsRequestId, IsStorable, MayBeLeftOut } from './checks.js';

export class MarkReadCall {
  @Matches(MESSAGE_ID, { message: '$property must be like "m12"' })
  id: string;
}

export class SearchCall {
  @IsStorable()
  @Length(1, LIMITS.search_query_chars)
  query: string;

  /** As sender or recipient. */
  @IsOptional()
  @Matches(AGENT_NAME, { message: 'agent must be an agent\'s name or "operator"' })
  agent?: string;

  @IsOptional()
  @Matches(MESSAGE_ID, { message: '$property must be like "m12"' })
  before?: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(LIMITS.search_results)
  limit?: number;
}

export class CommandCall {
  @MayBeLeftOut()
  @IsRequestId()
  request_id?: string;

  @Matches(AGENT_NAME, { message: "agent must be an agent's name" })
  agent: string;

  @IsIn(COMMAND_KINDS)
  kind: CommandKind;

  @IsOptional()
  @IsStorable()
  @Length(1, 200)
  model?: string;

  @IsOptional()
  @IsBoolean()
  discard?: boolean;
}

export class ReleaseCall {
  @Matches(AGENT_NAME, { message: "agent must be an agent's name" })
  agent: string;
}

export class RetryCall {
  @MayBeLeftOut()
  @IsRequestId()
  request_id?: string;

  @Matches(DELIVERY_ID, { message: '$property must be the id of a delivery, like "m12.3"' })
  id: string;
}

export class DeadDeliveriesCall {
  @IsOptional()
  @Matches(AGENT_NAME, { message: "agent must be an agent's name" })
  agent?: string;

  @IsOptional()
  @Matches(DELIVERY_ID, { message: '$property must be the id of a delivery, like "m12.3"' })
  before?: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(200)
  limit?: number;
}

/** The operator's `wake`. */
export class WakeAgentCall extends WakeDto {
  @IsRequestId()
  request_id: string;

  @Matches(AGENT_NAME, { message: "agent must be an agent's name" })
  agent: string;
}
