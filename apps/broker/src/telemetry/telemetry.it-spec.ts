import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { isoTime, LIMITS, utf8Bytes, type TurnEvent, type TurnTelemetry } from '#libs/protocol';
import { createLogger, ManualClock } from '#libs/service';
import { migrate, openDatabase } from '#libs/store';

import { verifies } from '../../../../test/requirements/verifies.js';
import { DEFAULT_RETENTION } from '../retention/retention.terms.js';
import type { EndedTurn } from '../turns/turn-journal.js';
import { TelemetryRetention } from './telemetry-retention.js';
import { TELEMETRY_MIGRATIONS } from './telemetry.migrations.js';
import { TELEMETRY_FILE, TelemetryReader, TelemetryStore } from './telemetry.store.js';

const DAY_MS = 86_400_000;

function report(more: Partial<TurnTelemetry> = {}): TurnTelemetry {
  return {
    started_at: isoTime(0),
    ended_at: isoTime(0),
    duration_ms: 1500,
    model: 'sonnet',
    input_tokens: 10,
    output_tokens: 20,
    cache_read_input_tokens: 30,
    cache_creation_input_tokens: 40,
    context_tokens: 5000,
    tool_call_count: 3,
    tool_call_breakdown: { Read: 2, Bash: 1 },
    bytes_streamed: 999,
    cost_usd: 0.25,
    ...more,
  };
}

const costing = (cost_usd: number) => report({ cost_usd });
const alice = (id: number) => ({ id, agent: 'alice' });

describe('telemetry', () => {
  let dir: string;
  let clock: ManualClock;
  let store: TelemetryStore;

  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'hive-telemetry-'));
    clock = new ManualClock();
    store = TelemetryStore.openForWriting(dir);
  });

  afterEach(() => {
    store.close();
    rmSync(dir, { recursive: true, force: true });
  });

  function ended(id: number, telemetry: TurnTelemetry | null, more: Partial<EndedTurn> = {}): void {
    store.putTurns([
      {
        id,
        agent_id: 1,
        agent: 'alice',
        started_at: clock.now(),
        ended_at: clock.now() + 1600,
        wake_reason: 'message',
        wake_from: 'bob',
        thread: 12,
        reminder: null,
        attempt: 1,
        result_kind: 'ok',
        note: '',
        telemetry,
        ...more,
      },
    ]);
  }

  const put = (turn: { id: number; agent: string }, events: TurnEvent[]) =>
    store.events.store(turn, events, clock.now());
  const event = (n: number, text = `event ${n}`): TurnEvent => ({
    n,
    at: isoTime(clock.now()),
    kind: 'text',
    text,
  });

  describe(verifies('6.1', 'P6') + 'turn rows', () => {
    it('hold every column; when the turn ran is what the broker saw', () => {
      ended(7, report());
      expect(store.turns.find(7)).toEqual({
        turn_id: 't7',
        agent: 'alice',
        started_at: isoTime(clock.now()),
        ended_at: isoTime(clock.now() + 1600),
        duration_ms: 1500,
        model: 'sonnet',
        input_tokens: 10,
        output_tokens: 20,
        cache_read_input_tokens: 30,
        cache_creation_input_tokens: 40,
        context_tokens: 5000,
        tool_call_count: 3,
        tool_call_breakdown: { Read: 2, Bash: 1 },
        bytes_streamed: 999,
        wake_reason: 'message',
        wake_from: 'bob',
        thread_id: 'm12',
        reminder_id: null,
        result_kind: 'ok',
        cost_usd: 0.25,
        attempt: 1,
        note: '',
      });
    });

    it('come from the broker when the harness was lost, and are replaced by a late report', () => {
      ended(1, null, { result_kind: 'failed', note: 'harness lost' });
      expect(store.turns.find(1)).toMatchObject({
        result_kind: 'failed',
        note: 'harness lost',
        duration_ms: 1600,
        cost_usd: null,
        model: null,
      });
      ended(1, report());
      expect(store.turns.find(1)).toMatchObject({ result_kind: 'ok', input_tokens: 10, note: '' });
    });

    it('survive the process and are read on a connection of their own', () => {
      ended(1, report());
      const reader = TelemetryReader.open(dir);
      expect(reader.turns.find(1)?.output_tokens).toBe(20);
      expect(() => reader.db.exec('DELETE FROM turns')).toThrow(/readonly/);
      reader.close();
      store.close();
      store = TelemetryStore.openForWriting(dir);
      expect(store.turns.find(1)?.output_tokens).toBe(20);
      expect(store.db.name).toBe(path.join(dir, TELEMETRY_FILE));
      expect(store.db.pragma('synchronous', { simple: true })).toBe(1);
    });

    it('are paged newest first, of one agent only', () => {
      for (let turn = 1; turn <= 5; turn++) ended(turn, null, { agent_id: (turn % 2) + 1 });
      const ids = store.turns.ofAgent(2, Number.MAX_SAFE_INTEGER, 2).map((row) => row.turn_id);
      expect(ids).toEqual(['t5', 't3']);
      expect(store.turns.ofAgent(2, 3, 2).map((row) => row.turn_id)).toEqual(['t1']);
    });

    it('tell what an agent has in its context and cost today', () => {
      ended(1, report({ cost_usd: 1 }));
      clock.advance(DAY_MS);
      const today = clock.now();
      ended(2, report({ cost_usd: 0.5, context_tokens: 6000 }));
      ended(3, report({ cost_usd: null, context_tokens: null }));
      expect(store.turns.usage(1, today)).toEqual({ context_tokens: 6000, cost_today_usd: 0.5 });
      expect(store.turns.usage(9, today)).toEqual({ context_tokens: null, cost_today_usd: 0 });
    });
  });

  describe(verifies('6.5') + 'live events', () => {
    it('are stored once each by turn and n', () => {
      expect(put(alice(1), [event(0), event(1)])).toBe(2);
      expect(put(alice(1), [event(1, 'again'), event(2)])).toBe(1);
      expect(store.events.inTurn(1, 10).map((row) => row.event.text)).toEqual([
        'event 0',
        'event 1',
        'event 2',
      ]);
    });

    it('are refused in batches over the limit, and none of the batch is stored', () => {
      const batch = Array.from({ length: LIMITS.turn_events_per_batch + 1 }, (_, n) => event(n));
      expect(() => put(alice(1), batch)).toThrow(/limit is 200/);
      expect(store.events.inTurn(1, 10)).toEqual([]);
    });

    it('are cut to the limit of one event, not lost', () => {
      const long = '"\u0001ü'.repeat(60_000);
      put(alice(1), [{ ...event(0, long), kind: 'tool_result', input: { long } }]);
      const [stored] = store.events.inTurn(1, 1);
      expect(utf8Bytes(JSON.stringify(stored?.event))).toBeLessThanOrEqual(LIMITS.turn_event_bytes);
      expect(stored?.event.text?.length).toBeGreaterThan(2000);
      expect(stored?.event.kind).toBe('tool_result');
    });

    it('are read for some turns, and after a cursor', () => {
      put(alice(1), [event(0), event(1)]);
      put({ id: 2, agent: 'bob' }, [event(0)]);
      put(alice(3), [event(0)]);
      expect(
        store.events.inTurns([3, 1], 2, 1000).map((row) => [row.turn_id, row.event.n]),
      ).toEqual([
        [1, 1],
        [3, 0],
      ]);
      expect(store.events.inTurns([3, 1], 9, 10).map((row) => row.turn_id)).toEqual([3]);
      const first = store.events.since(0, 3, 1000);
      expect(
        first.runs.map(({ turn_id, agent, events }) => [turn_id, agent, events.length]),
      ).toEqual([
        [1, 'alice', 2],
        [2, 'bob', 1],
      ]);
      expect(store.events.since(0, 10, 100).runs).toMatchObject([{ events: [{ n: 0 }] }]);
      expect(store.events.since(first.cursor, 10, 1000).runs).toMatchObject([{ turn_id: 3 }]);
      expect(store.events.since(store.events.end, 10, 1000).runs).toEqual([]);
    });

    it('are deleted after 14 days and turn rows after 400, a bounded number at once', () => {
      const retention = new TelemetryRetention({
        turns: store.turns,
        events: store.events,
        terms: DEFAULT_RETENTION,
        clock,
        logger: createLogger('broker', 'silent'),
      });
      ended(1, null);
      for (let batch = 0; batch < 6; batch++)
        put(
          alice(1),
          Array.from({ length: 200 }, (_, i) => event(batch * 200 + i)),
        );
      clock.advance(13 * DAY_MS);
      ended(2, null);
      put(alice(2), [event(0)]);
      expect(retention.sweep()).toEqual({ events: 0, turns: 0 });
      clock.advance(2 * DAY_MS);
      expect(retention.sweep()).toEqual({ events: 1000, turns: 0 });
      expect(retention.sweep()).toEqual({ events: 200, turns: 0 });
      expect(store.events.inTurn(2, 10)).toHaveLength(1);
      clock.advance(386 * DAY_MS);
      expect(retention.sweep()).toEqual({ events: 1, turns: 1 });
      expect(store.turns.find(1)).toBeUndefined();
      expect(store.turns.find(2)).toBeDefined();
    });

    it('are swept by themselves, again and again', () => {
      const retention = new TelemetryRetention({
        turns: store.turns,
        events: store.events,
        terms: DEFAULT_RETENTION,
        clock,
        logger: createLogger('broker', 'silent'),
      });
      put(alice(1), [event(0)]);
      retention.start();
      clock.advance(15 * DAY_MS);
      expect(store.events.inTurn(1, 10)).toEqual([]);
      retention.stop();
      put(alice(1), [event(1)]);
      clock.advance(15 * DAY_MS);
      expect(store.events.inTurn(1, 10)).toHaveLength(1);
    });
  });

  describe(verifies('6.4') + 'rows of an older schema', () => {
    it('are kept, and get the reminders that are still known', () => {
      store.close();
      rmSync(path.join(dir, TELEMETRY_FILE));
      const old = openDatabase({ path: path.join(dir, TELEMETRY_FILE), synchronous: 'NORMAL' });
      migrate(old, TELEMETRY_MIGRATIONS.slice(0, 1));
      const insert = old.prepare(
        `INSERT INTO turns VALUES (?, 1, 'alice', 5, 6, 1, 'sonnet', 1, 2, 3, 4, 5, 6, '{"Read":6}', 7, ?, 'bob', 12, 'ok', 0.5, 1, 'a note')`,
      );
      for (let turn = 1; turn <= 2500; turn++) insert.run(turn, turn % 2 ? 'reminder' : 'message');
      old.close();

      store = TelemetryStore.openForWriting(dir);
      const asked: number[] = [];
      const complete = () =>
        store.completeReminders((turn) => {
          asked.push(turn);
          return turn === 3 ? null : turn + 1;
        });
      complete();
      expect(asked).toHaveLength(1250);
      const row = {
        agent: 'alice',
        cost_usd: 0.5,
        note: 'a note',
        tool_call_breakdown: { Read: 6 },
      };
      expect(store.turns.find(1)).toMatchObject({ ...row, reminder_id: 'r2' });
      expect(store.turns.find(2)).toMatchObject({ ...row, reminder_id: null });
      expect(store.turns.find(3)).toMatchObject({ ...row, reminder_id: null });
      expect(store.turns.find(2499)).toMatchObject({ ...row, reminder_id: 'r2500' });
      complete();
      expect(asked).toHaveLength(1250);
    });
  });

  describe(verifies('6.2') + 'statistics of an agent', () => {
    it('count turns, percentiles, tokens, cost, tools and mixes by bucket', async () => {
      const start = clock.now();
      for (let turn = 1; turn <= 20; turn++) {
        const wake_reason = turn % 2 ? 'message' : 'operator';
        ended(turn, report({ duration_ms: turn * 100, cost_usd: 0.1 }), { wake_reason });
      }
      clock.advance(3_600_000);
      ended(21, null, { result_kind: 'failed' });
      ended(22, report(), { agent_id: 2, agent: 'bob' });
      const stats = await store.stats.ofAgent(1, '24h', clock.now());
      expect(stats).toMatchObject({
        window: '24h',
        turns: 21,
        tools: { Read: 40, Bash: 20 },
        wake_mix: { message: 11, operator: 10 },
        result_mix: { ok: 20, failed: 1 },
        tokens: { input: 200, output: 400, cache_read: 600, cache_creation: 800 },
      });
      expect(stats.cost_usd).toBeCloseTo(2);
      expect(stats.by_bucket).toHaveLength(24);
      expect(stats.by_bucket.at(-2)).toMatchObject({
        at: isoTime(start),
        turns: 20,
        p50_ms: 1000,
        p95_ms: 1900,
        input_tokens: 200,
        output_tokens: 400,
        context_tokens_max: 5000,
      });
      expect(stats.by_bucket.at(-1)).toMatchObject({
        turns: 1,
        p50_ms: 1600,
        context_tokens_max: null,
      });
      expect(stats.by_bucket[0]).toMatchObject({ turns: 0, cost_usd: 0, p50_ms: null });
    });

    it('leave out what began before the window', async () => {
      ended(1, null);
      clock.advance(8 * DAY_MS);
      ended(2, null);
      expect((await store.stats.ofAgent(1, '7d', clock.now())).turns).toBe(1);
      const month = await store.stats.ofAgent(1, '30d', clock.now());
      expect(month.turns).toBe(2);
      expect(month.by_bucket).toHaveLength(30);
    });

    it(verifies('6.4') + 'name the threads and the reminders that cost most', async () => {
      ended(1, costing(0.5), { thread: 3 });
      ended(2, costing(2), { thread: 4, reminder: 9, wake_reason: 'reminder' });
      ended(3, costing(0.25), { thread: 3 });
      ended(4, costing(1), { thread: 5, reminder: 9 });
      ended(5, null, { thread: 6, reminder: 0 });
      ended(6, costing(50), { thread: 7, reminder: 8, agent_id: 2, agent: 'bob' });
      expect(await store.stats.ofAgent(1, '24h', clock.now())).toMatchObject({
        cost_usd: 3.75,
        cost_by_thread: [
          { thread_id: 'm4', turns: 1, cost_usd: 2 },
          { thread_id: 'm5', turns: 1, cost_usd: 1 },
          { thread_id: 'm3', turns: 2, cost_usd: 0.75 },
          { thread_id: 'm6', turns: 1, cost_usd: 0 },
        ],
        cost_by_reminder: [{ reminder_id: 'r9', turns: 2, cost_usd: 3 }],
      });
    });

    it(verifies('6.4') + 'leave out the cheapest causes past the limit', async () => {
      const last = LIMITS.stats_causes + 5;
      for (let turn = 1; turn <= last; turn++)
        ended(turn, report({ cost_usd: turn }), { thread: turn, reminder: turn });
      const { cost_by_thread, cost_by_reminder } = await store.stats.ofAgent(1, '24h', clock.now());
      expect([cost_by_thread.length, cost_by_reminder.length]).toEqual([20, 20]);
      expect([cost_by_thread[0], cost_by_thread[19]]).toMatchObject([
        { thread_id: `m${last}` },
        { thread_id: 'm6' },
      ]);
    });

    it('page through more rows than one statement reads', async () => {
      store.db.transaction(() => {
        for (let turn = 1; turn <= 2500; turn++) ended(turn, null);
      })();
      expect((await store.stats.ofAgent(1, '24h', clock.now())).turns).toBe(2500);
    });
  });
});
