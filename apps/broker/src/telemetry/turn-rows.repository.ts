import {
  formatId,
  isoTime,
  type ResultKind,
  type TurnRow,
  type TurnTelemetry,
  type WakeReason,
} from '#libs/protocol';
import type { Db } from '#libs/store';

/** A turn as it begins; `turn_id` and `agent_id` are the integers behind the wire ids, times milliseconds. */
export interface TurnStart {
  turn_id: number;
  agent_id: number;
  agent: string;
  started_at: number;
  model: string | null;
  wake_reason: WakeReason;
  wake_from: string;
  thread_id: string | null;
  attempt: number;
}

/** How a turn ended; `telemetry` is null when the broker ended it because its harness was lost. */
export interface TurnEnd {
  turn_id: number;
  ended_at: number;
  result_kind: ResultKind;
  note: string;
  telemetry: TurnTelemetry | null;
}

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
  ended_at: number | null;
  duration_ms: number | null;
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
  thread_id: string | null;
  result_kind: ResultKind | null;
  cost_usd: number | null;
  attempt: number;
  note: string;
}

/** Newest turns that are looked through for the size of an agent's context: not every driver reports it. */
const CONTEXT_LOOK_BACK = 20;

/** The `turns` table of telemetry.db: one row per turn (PRODUCT 6.1). */
export class TurnRowsRepository {
  private readonly insert;
  private readonly report;
  private readonly close;
  private readonly one;
  private readonly page;
  private readonly newest;
  private readonly context;
  private readonly cost;
  private readonly sweep;

  constructor(db: Db) {
    this.insert = db.prepare<[TurnStart]>(`
      INSERT INTO turns (turn_id, agent_id, agent, started_at, model, wake_reason, wake_from, thread_id, attempt)
      VALUES (@turn_id, @agent_id, @agent, @started_at, @model, @wake_reason, @wake_from, @thread_id, @attempt)
      ON CONFLICT (turn_id) DO NOTHING`);
    this.report = db.prepare<[Record<string, unknown>]>(`
      UPDATE turns SET
        started_at = @started_at, ended_at = @ended_at, duration_ms = @duration_ms, model = coalesce(@model, model),
        input_tokens = @input_tokens, output_tokens = @output_tokens,
        cache_read_input_tokens = @cache_read_input_tokens,
        cache_creation_input_tokens = @cache_creation_input_tokens,
        context_tokens = @context_tokens, tool_call_count = @tool_call_count,
        tool_call_breakdown = @tool_call_breakdown, bytes_streamed = @bytes_streamed,
        cost_usd = @cost_usd, result_kind = @result_kind, note = @note, reported = 1
      WHERE turn_id = @turn_id AND reported = 0`);
    this.close = db.prepare<[Record<string, unknown>]>(`
      UPDATE turns SET ended_at = @ended_at, duration_ms = max(0, @ended_at - started_at),
        result_kind = @result_kind, note = @note
      WHERE turn_id = @turn_id AND result_kind IS NULL`);
    this.one = db.prepare<[number], StoredTurn>('SELECT * FROM turns WHERE turn_id = ?');
    this.page = db.prepare<[number, number, number], StoredTurn>(
      'SELECT * FROM turns WHERE agent_id = ? AND turn_id < ? ORDER BY turn_id DESC LIMIT ?',
    );
    this.newest = db.prepare<[number], StoredTurn>(
      'SELECT * FROM turns ORDER BY turn_id DESC LIMIT ?',
    );
    this.context = db
      .prepare<[number, number], number>(
        `SELECT context_tokens FROM (
           SELECT turn_id, context_tokens FROM turns WHERE agent_id = ? ORDER BY turn_id DESC LIMIT ?)
         WHERE context_tokens IS NOT NULL ORDER BY turn_id DESC LIMIT 1`,
      )
      .pluck();
    this.cost = db
      .prepare<[number, number], number>(
        'SELECT total(cost_usd) FROM turns WHERE agent_id = ? AND started_at >= ?',
      )
      .pluck();
    this.sweep = db.prepare<[number, number]>(`
      DELETE FROM turns WHERE turn_id IN (
        SELECT turn_id FROM turns WHERE started_at < ? ORDER BY started_at LIMIT ?)`);
  }

  /** Stores the row of a turn that begins; a repeat changes nothing. */
  start(turn: TurnStart): void {
    this.insert.run(turn);
  }

  /**
   * Stores how a turn ended; true when that changed the row. The harness's first report wins over the broker's own end
   * and over every later report (P6).
   */
  end({ turn_id, ended_at, result_kind, note, telemetry }: TurnEnd): boolean {
    if (!telemetry) return this.close.run({ turn_id, ended_at, result_kind, note }).changes > 0;
    const row = {
      ...telemetry,
      turn_id,
      result_kind,
      note,
      started_at: Date.parse(telemetry.started_at),
      ended_at: Date.parse(telemetry.ended_at),
      tool_call_breakdown: JSON.stringify(telemetry.tool_call_breakdown),
    };
    return this.report.run(row).changes > 0;
  }

  find(turnId: number): UnversionedTurnRow | undefined {
    const stored = this.one.get(turnId);
    return stored && toRow(stored);
  }

  /** The agent's turns older than `before`, newest first. */
  ofAgent(agentId: number, before: number, limit: number): UnversionedTurnRow[] {
    return this.page.all(agentId, before, limit).map(toRow);
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

  /** Deletes at most `most` rows of turns that began before `cutoff`; how many it deleted. */
  deleteBefore(cutoff: number, most: number): number {
    return this.sweep.run(cutoff, most).changes;
  }
}

function toRow(stored: StoredTurn): UnversionedTurnRow {
  return {
    turn_id: formatId('t', stored.turn_id),
    agent: stored.agent,
    started_at: isoTime(stored.started_at),
    ended_at: stored.ended_at === null ? null : isoTime(stored.ended_at),
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
    thread_id: stored.thread_id,
    result_kind: stored.result_kind,
    cost_usd: stored.cost_usd,
    attempt: stored.attempt,
    note: stored.note,
  };
}
