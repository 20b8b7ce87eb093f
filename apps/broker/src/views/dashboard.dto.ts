import { IsIn, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';

import { parseId, type AgentStats, type IdKind } from '#libs/protocol';

/** Rows of a page when the request names no number, and at most. */
export const PAGE = { usual: 50, most: 200 } as const;
/** Live events of one answer when the request names no number, and at most. */
export const EVENTS = { usual: 200, most: 1000 } as const;

const MESSAGE_ID = /^m[1-9]\d{0,14}$/;
const TURN_ID = /^t[1-9]\d{0,14}$/;
const NAME = /^[a-z][a-z0-9-]{0,31}$/;

export class SnapshotDto {
  @IsInt()
  @Min(0)
  @Max(500)
  messages: number;
}

export class MessagesDto {
  @IsOptional()
  @Matches(MESSAGE_ID, { message: 'thread must be a message id like m12' })
  thread?: string;

  @IsOptional()
  @Matches(NAME, { message: 'agent must be an agent name or "operator"' })
  agent?: string;

  @IsOptional()
  @Matches(MESSAGE_ID, { message: 'before must be a message id like m12' })
  before?: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(PAGE.most)
  limit?: number;
}

export class AgentInboxDto {
  @Matches(NAME, { message: 'agent must be an agent name or "operator"' })
  agent: string;

  @IsOptional()
  @Matches(MESSAGE_ID, { message: 'before must be a message id like m12' })
  before?: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(PAGE.most)
  limit?: number;
}

export class AgentTurnsDto {
  @Matches(NAME, { message: 'agent must be an agent name' })
  agent: string;

  @IsOptional()
  @Matches(TURN_ID, { message: 'before must be a turn id like t7' })
  before?: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(PAGE.most)
  limit?: number;
}

export class AgentEventsDto {
  @Matches(NAME, { message: 'agent must be an agent name' })
  agent: string;

  @IsOptional()
  @Matches(TURN_ID, { message: 'turn_id must be a turn id like t7' })
  turn_id?: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(EVENTS.most)
  limit?: number;
}

export class AgentStatsDto {
  @Matches(NAME, { message: 'agent must be an agent name' })
  agent: string;

  @IsIn(['24h', '7d', '30d'])
  window: AgentStats['window'];
}

/** The row number before which a page begins; without one, after the newest row. */
export function rowBefore(kind: IdKind, id: string | undefined): number {
  return (id === undefined ? undefined : parseId(kind, id)) ?? Number.MAX_SAFE_INTEGER;
}
