import { setImmediate as nextLoop } from 'node:timers/promises';

import { formatId, isoTime, LIMITS, type AgentStats, type CauseCost } from '#libs/protocol';
import type { Db } from '#libs/store';

export type StatsWindow = AgentStats['window'];

const HOUR_MS = 3_600_000;
/** Length of each window and of the buckets its plots have. */
const WINDOWS: Record<StatsWindow, { bucketMs: number; buckets: number }> = {
  '24h': { bucketMs: HOUR_MS, buckets: 24 },
  '7d': { bucketMs: 6 * HOUR_MS, buckets: 28 },
  '30d': { bucketMs: 24 * HOUR_MS, buckets: 30 },
};
/** Rows read before other work gets its turn: about 5 ms. */
const PAGE_ROWS = 1000;

interface StatsRecord {
  turn_id: number;
  started_at: number;
  duration_ms: number;
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens: number;
  cache_creation_input_tokens: number;
  context_tokens: number | null;
  tool_call_breakdown: string;
  wake_reason: string;
  thread: number;
  reminder: number | null;
  result_kind: string;
  cost_usd: number | null;
}

interface Bucket {
  turns: number;
  durations: number[];
  input_tokens: number;
  output_tokens: number;
  cost_usd: number;
  context_tokens_max: number | null;
}

/** Reads what an agent's ended turns took and cost over a window. */
export class TurnStats {
  private readonly page;

  constructor(db: Db) {
    this.page = db.prepare<[number, number, number, number, number], StatsRecord>(`
      SELECT turn_id, started_at, duration_ms, input_tokens, output_tokens, cache_read_input_tokens,
        cache_creation_input_tokens, context_tokens, tool_call_breakdown, wake_reason, thread, reminder,
        result_kind, cost_usd
      FROM turns WHERE agent_id = ? AND (started_at, turn_id) > (?, ?) AND started_at < ?
      ORDER BY started_at, turn_id LIMIT ?`);
  }

  /**
   * The agent's statistics of the window that ends now, in buckets aligned to UTC; empty buckets are there too. Pages
   * through the rows, so that no statement holds the event loop.
   */
  async ofAgent(agentId: number, window: StatsWindow, now: number): Promise<AgentStats> {
    const { bucketMs, buckets: count } = WINDOWS[window];
    const end = (Math.floor(now / bucketMs) + 1) * bucketMs;
    const start = end - count * bucketMs;
    const buckets = Array.from({ length: count }, emptyBucket);
    const stats: AgentStats = {
      window,
      turns: 0,
      by_bucket: [],
      tools: {},
      wake_mix: {},
      result_mix: {},
      tokens: { input: 0, output: 0, cache_read: 0, cache_creation: 0 },
      cost_usd: 0,
      cost_by_thread: [],
      cost_by_reminder: [],
    };
    const threads = new Map<number, CauseCost>();
    const reminders = new Map<number, CauseCost>();
    let from: [number, number] = [start, -1];
    for (;;) {
      const rows = this.page.all(agentId, ...from, end, PAGE_ROWS);
      for (const row of rows) {
        addToTotals(stats, row);
        addToCause(threads, row.thread, row);
        if (row.reminder) addToCause(reminders, row.reminder, row);
        addToBucket(buckets[Math.floor((row.started_at - start) / bucketMs)], row);
      }
      const last = rows.at(-1);
      if (rows.length < PAGE_ROWS || !last) break;
      from = [last.started_at, last.turn_id];
      await nextLoop();
    }
    stats.by_bucket = buckets.map((bucket, index) => finish(bucket, start + index * bucketMs));
    stats.cost_by_thread = dearest(threads).map(([thread, { turns, cost_usd }]) => ({
      thread_id: formatId('m', thread),
      turns,
      cost_usd,
    }));
    stats.cost_by_reminder = dearest(reminders).map(([reminder, { turns, cost_usd }]) => ({
      reminder_id: formatId('r', reminder),
      turns,
      cost_usd,
    }));
    return stats;
  }
}

function emptyBucket(): Bucket {
  return {
    turns: 0,
    durations: [],
    input_tokens: 0,
    output_tokens: 0,
    cost_usd: 0,
    context_tokens_max: null,
  };
}

function addToTotals(stats: AgentStats, row: StatsRecord): void {
  stats.turns += 1;
  stats.tokens.input += row.input_tokens;
  stats.tokens.output += row.output_tokens;
  stats.tokens.cache_read += row.cache_read_input_tokens;
  stats.tokens.cache_creation += row.cache_creation_input_tokens;
  stats.cost_usd += row.cost_usd ?? 0;
  increase(stats.wake_mix, row.wake_reason, 1);
  increase(stats.result_mix, row.result_kind, 1);
  const tools = JSON.parse(row.tool_call_breakdown) as Record<string, number>;
  for (const [tool, calls] of Object.entries(tools)) increase(stats.tools, tool, calls);
}

function addToCause(causes: Map<number, CauseCost>, cause: number, row: StatsRecord): void {
  const cost = causes.get(cause) ?? { turns: 0, cost_usd: 0 };
  cost.turns += 1;
  cost.cost_usd += row.cost_usd ?? 0;
  causes.set(cause, cost);
}

/** Those that cost most; of equal ones those with more turns, then the newer. */
function dearest(causes: ReadonlyMap<number, CauseCost>): [id: number, cost: CauseCost][] {
  return [...causes]
    .toSorted(([a, x], [b, y]) => y.cost_usd - x.cost_usd || y.turns - x.turns || b - a)
    .slice(0, LIMITS.stats_causes);
}

function addToBucket(bucket: Bucket | undefined, row: StatsRecord): void {
  if (!bucket) return;
  bucket.turns += 1;
  bucket.durations.push(row.duration_ms);
  bucket.input_tokens += row.input_tokens;
  bucket.output_tokens += row.output_tokens;
  bucket.cost_usd += row.cost_usd ?? 0;
  if (row.context_tokens !== null)
    bucket.context_tokens_max = Math.max(bucket.context_tokens_max ?? 0, row.context_tokens);
}

function finish(bucket: Bucket, at: number): AgentStats['by_bucket'][number] {
  const sorted = bucket.durations.toSorted((a, b) => a - b);
  return {
    at: isoTime(at),
    turns: bucket.turns,
    p50_ms: percentile(sorted, 0.5),
    p95_ms: percentile(sorted, 0.95),
    input_tokens: bucket.input_tokens,
    output_tokens: bucket.output_tokens,
    cost_usd: bucket.cost_usd,
    context_tokens_max: bucket.context_tokens_max,
  };
}

/** Nearest-rank percentile of ascending values; null when there are none. */
function percentile(sorted: readonly number[], part: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? null;
}

function increase(into: Record<string, number>, key: string, by: number): void {
  into[key] = (Object.hasOwn(into, key) ? (into[key] ?? 0) : 0) + by;
}
