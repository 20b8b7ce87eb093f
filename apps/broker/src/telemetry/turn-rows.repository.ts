import {
  formatId,
  isoTime,
  type ResultKind,
  type TurnRow,
  type TurnTelemetry,
  type WakeReason,
} from '#libs/protocol';
import type { Db } from '#libs/store';

import type { EndedTurn } from '../turns/turn-journal.js';

/** What the agent's own row shows of its turns. */
export interface AgentUsage {
  context_tokens: number | null;
  cost_today_usd: number;
}

/** A turn row without the version that its reader adds. */
export type UnversionedTurnRow = Omit<TurnRow, 'version'>;

interface StoredTurn {
  turn_id: number;
  agent: string;
  started_at: number;
  ended_at: number;
  duration_ms: number;
  model: string | null;
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens: number;
  cache_creation_input_tokens: number;
  context_tokens: number | null;
  tool_call_count: number;
  tool_call_breakdown: string;
  bytes_streamed: number;
  wake_reason: WakeReason;
  wake_from: string;
  thread: number;
  reminder: number | null;
  result_kind: ResultKind;
  cost_usd: number | null;
  attempt: number;
  note: string;
}

const COLUMNS = [
  'turn_id',
  'agent_id',
  'agent',
  'started_at',
  'ended_at',
  'duration_ms',
  'model',
  'input_tokens',
  'output_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'context_tokens',
  'tool_call_count',
  'tool_call_breakdown',
  'bytes_streamed',
  'wake_reason',
  'wake_from',
  'thread',
  'reminder',
  'result_kind',
  'cost_usd',
  'attempt',
  'note',
] as const;

/** Newest turns that are looked through for the size of an agent's context: not every driver reports it. */
const CONTEXT_LOOK_BACK = 20;

/** The `turns` table of telemetry.db: one row per ended turn (PRODUCT 6.1). */
export class TurnRowsRepository {
  private readonly replace;
  private readonly one;
  private readonly owner;
  private readonly page;
  private readonly ids;
  private readonly newest;
  private readonly context;
  private readonly cost;
  private readonly sweep;
  private readonly incomplete;
  private readonly setReminder;

  constructor(db: Db) {
    this.replace = db.prepare<[StoredTurn & { agent_id: number }]>(`
      INSERT OR REPLACE INTO turns (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map((column) => `@${column}`).join(', ')})`);
    this.one = db.prepare<[number], StoredTurn>('SELECT * FROM turns WHERE turn_id = +?');
    this.owner = db
      .prepare<[number], number>('SELECT agent_id FROM turns WHERE turn_id = +?')
      .pluck();
    this.page = db.prepare<[number, number, number], StoredTurn>(
      'SELECT * FROM turns WHERE agent_id = +? AND turn_id < +? ORDER BY turn_id DESC LIMIT +?',
    );
    this.ids = db
      .prepare<[number, number], number>(
        'SELECT turn_id FROM turns WHERE agent_id = +? ORDER BY turn_id DESC LIMIT +?',
      )
      .pluck();
    this.newest = db.prepare<[number], StoredTurn>(
      'SELECT * FROM turns ORDER BY turn_id DESC LIMIT ?',
    );
    this.context = db
      .prepare<[number, number], number>(
        `SELECT context_tokens FROM (
           SELECT turn_id, context_tokens FROM turns WHERE agent_id = +? ORDER BY turn_id DESC LIMIT +?)
         WHERE context_tokens IS NOT NULL ORDER BY turn_id DESC LIMIT 1`,
      )
      .pluck();
    this.cost = db
      .prepare<[number, number], number>(
        'SELECT total(cost_usd) FROM turns WHERE agent_id = +? AND started_at >= +?',
      )
      .pluck();
    this.incomplete = db
      .prepare<[number], number>(
        `SELECT turn_id FROM turns WHERE wake_reason = 'reminder' AND reminder IS NULL LIMIT +?`,
      )
      .pluck();
    this.setReminder = db.prepare<[number, number]>(
      'UPDATE turns SET reminder = ? WHERE turn_id = +?',
    );
    this.sweep = db.prepare<[number, number]>(`
      DELETE FROM turns WHERE turn_id IN (
        SELECT turn_id FROM turns WHERE started_at < ? ORDER BY started_at LIMIT ?)`);
  }

  /**
   * Stores the row of an ended turn; a later one for the same turn replaces it. Start and end are the broker's times,
   * which no agent can set; the duration and all counts are what the harness reported.
   */
  put(turn: EndedTurn): void {
    const counts = countsOf(turn.telemetry);
    this.replace.run({
      ...counts,
      turn_id: turn.id,
      agent_id: turn.agent_id,
      agent: turn.agent,
      started_at: turn.started_at,
      ended_at: turn.ended_at,
      duration_ms: turn.telemetry?.duration_ms ?? Math.max(0, turn.ended_at - turn.started_at),
      tool_call_breakdown: JSON.stringify(counts.tool_call_breakdown),
      wake_reason: turn.wake_reason,
      wake_from: turn.wake_from,
      thread: turn.thread,
      reminder: turn.reminder,
      result_kind: turn.result_kind,
      attempt: turn.attempt,
      note: turn.note,
    });
  }

  find(turnId: number): UnversionedTurnRow | undefined {
    const stored = this.one.get(turnId);
    return stored && toRow(stored);
  }

  /** Incarnation of the agent whose turn it is. */
  agentOf(turnId: number): number | undefined {
    return this.owner.get(turnId);
  }

  /** The agent's turns older than `before`, newest first. */
  ofAgent(agentId: number, before: number, limit: number): UnversionedTurnRow[] {
    return this.page.all(agentId, before, limit).map(toRow);
  }

  /** Ids of the agent's newest turns, newest first. */
  idsOfAgent(agentId: number, limit: number): number[] {
    return this.ids.all(agentId, limit);
  }

  /** The newest turns of the hive, newest first. */
  latest(limit: number): UnversionedTurnRow[] {
    return this.newest.all(limit).map(toRow);
  }

  /** `since`: start of the day that "today" means, in milliseconds. */
  usage(agentId: number, since: number): AgentUsage {
    return {
      context_tokens: this.context.get(agentId, CONTEXT_LOOK_BACK) ?? null,
      cost_today_usd: this.cost.get(agentId, since) ?? 0,
    };
  }

  /** Turns that a reminder woke, of which an older version of this program stored no reminder. */
  withoutReminder(limit: number): number[] {
    return this.incomplete.all(limit);
  }

  /** Null: nobody knows it any more. */
  addReminder(turnId: number, reminder: number | null): void {
    this.setReminder.run(reminder ?? 0, turnId);
  }

  /** Deletes at most `most` rows of turns that began before `cutoff`; how many it deleted. */
  deleteBefore(cutoff: number, most: number): number {
    return this.sweep.run(cutoff, most).changes;
  }
}

/** What a turn cost and did, nothing where its harness never reported. */
export function countsOf(
  telemetry: TurnTelemetry | null,
): Omit<TurnTelemetry, 'started_at' | 'ended_at' | 'duration_ms'> {
  return {
    model: telemetry?.model ?? null,
    input_tokens: telemetry?.input_tokens ?? 0,
    output_tokens: telemetry?.output_tokens ?? 0,
    cache_read_input_tokens: telemetry?.cache_read_input_tokens ?? 0,
    cache_creation_input_tokens: telemetry?.cache_creation_input_tokens ?? 0,
    context_tokens: telemetry?.context_tokens ?? null,
    tool_call_count: telemetry?.tool_call_count ?? 0,
    tool_call_breakdown: telemetry?.tool_call_breakdown ?? {},
    bytes_streamed: telemetry?.bytes_streamed ?? 0,
    cost_usd: telemetry?.cost_usd ?? null,
  };
}

function toRow(stored: StoredTurn): UnversionedTurnRow {
  return {
    turn_id: formatId('t', stored.turn_id),
    agent: stored.agent,
    started_at: isoTime(stored.started_at),
    ended_at: isoTime(stored.ended_at),
    duration_ms: stored.duration_ms,
    model: stored.model,
    input_tokens: stored.input_tokens,
    output_tokens: stored.output_tokens,
    cache_read_input_tokens: stored.cache_read_input_tokens,
    cache_creation_input_tokens: stored.cache_creation_input_tokens,
    context_tokens: stored.context_tokens,
    tool_call_count: stored.tool_call_count,
    tool_call_breakdown: JSON.parse(stored.tool_call_breakdown) as Record<string, number>,
    bytes_streamed: stored.bytes_streamed,
    wake_reason: stored.wake_reason,
    wake_from: stored.wake_from,
    thread_id: formatId('m', stored.thread),
    reminder_id: stored.reminder ? formatId('r', stored.reminder) : null,
    result_kind: stored.result_kind,
    cost_usd: stored.cost_usd,
    attempt: stored.attempt,
    note: stored.note,
  };
}
