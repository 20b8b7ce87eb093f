import { IsBoolean, IsIn, IsOptional, Length, Matches } from 'class-validator';

import { AGENT_NAME, COMMAND_KINDS, type CommandKind } from '#libs/protocol';

import { DELIVERY_ID, MESSAGE_ID } from '../harness/shapes.js';

export class MarkReadCall {
  @Matches(MESSAGE_ID, { message: '$property must be like "m12"' })
  id: string;
}

export class CommandCall {
  @Matches(AGENT_NAME, { message: "agent must be an agent's name" })
  agent: string;

  @IsIn(COMMAND_KINDS)
  kind: CommandKind;

  @IsOptional()
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
  @Matches(DELIVERY_ID, { message: '$property must be the id of a delivery, like "m12.3"' })
  id: string;
}
