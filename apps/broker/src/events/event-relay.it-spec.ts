import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  decodeEvent,
  EVENT_STREAM,
  isoTime,
  parseSeq,
  type HiveEvent,
  type NewHiveEvent,
  type OperationRow,
} from '#libs/protocol';
import { createLogger, systemClock } from '#libs/service';

import { verifies } from '../../../../test/requirements/verifies.js';
import type { BrokerOptions } from '../broker.options.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import type { ChangeSet } from '../outbox/change-set.js';
import { OutboxRepository, readVersion } from '../outbox/outbox.repository.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { Writer } from '../storage/writer.service.js';
import { TelemetryStore } from '../telemetry/telemetry.store.js';
import { EventRelay } from './event-relay.js';
import { EventStream } from './event-stream.js';
import { RelayMemory } from './relay-memory.js';
import { TestRedis } from './testing/redis-server.js';
import { connectWriter } from './writer-connection.js';

const logger = createLogger('broker', 'silent');
/** A busy machine takes its time. */
const SOON = { timeout: 20_000 };
/** Outbox rows that these brokers let wait for Redis. */
const MAX_WAITING_ROWS = 200;

/** A broker's outbox and relay without the rest of the broker; rows are stood for by the ids in them. */
class Relaying {
  readonly threads: ThreadsDb;
  readonly writer: Writer;
  readonly changes: ChangeLog;
  readonly outbox: OutboxRepository;
  readonly telemetry: TelemetryStore;
  readonly relay: EventRelay;
  private readonly redis: Redis | undefined;

  constructor(dbDir: string, redisUrl: string | undefined) {
    const options: BrokerOptions = { dbDir, logger, confirmWithinMs: 1 };
    this.threads = new ThreadsDb(options);
    this.writer = new Writer(this.threads, options, systemClock);
    this.outbox = new OutboxRepository(this.threads);
    this.changes = new ChangeLog(this.outbox, this.writer);
    this.telemetry = TelemetryStore.openForWriting(dbDir);
    const memory = new RelayMemory(this.telemetry.db);
    let sink: EventStream | undefined;
    if (redisUrl) {
      this.redis = connectWriter(redisUrl);
      this.redis.on('error', () => {});
      this.redis.connect().catch(() => {});
      sink = new EventStream({ redis: this.redis, memory, clock: systemClock, logger });
    }
    this.relay = new EventRelay({
      outbox: {
        after: (id, limit) => this.outbox.after(id, limit),
        newest: () => readVersion(this.threads.db),
        removeThrough: (id) => this.changes.removeThrough(id),
      },
      turnEvents: this.telemetry.events,
      memory,
      hydrate: idsAsEvents,
      sink,
      clock: systemClock,
      logger,
      maxWaitingRows: MAX_WAITING_ROWS,
    });
    this.redis?.on('ready', () => this.relay.retryNow());
    this.changes.onCommitted(() => this.relay.wake());
    this.relay.wake();
  }

  change(agent: number): Promise<void> {
    return this.writer.submit(() => this.changes.agentRemoved(agent));
  }

  async stop(): Promise<void> {
    await this.relay.stop();
    this.crash();
  }

  /** Ends without relaying or removing anything more. */
  crash(): void {
    this.relay.abandon();
    this.redis?.disconnect();
    this.writer.abandon();
    this.telemetry.close();
    this.threads.close();
  }
}

function idsAsEvents(changes: ChangeSet): NewHiveEvent[] {
  return [
    ...(changes.events ?? []),
    ...(changes.ended ?? []).map((id): NewHiveEvent => ({
      kind: 'turn_ended',
      turn: { turn_id: `t${id}` } as never,
    })),
    ...(changes.removed ?? []).map((id): NewHiveEvent => ({
      kind: 'agent_removed',
      agent_id: String(id),
      name: 'a',
      version: 1,
    })),
  ];
}

function operation(id: string): NewHiveEvent {
  return { kind: 'operation_changed', operation: { id, version: 3 } as OperationRow };
}

describe(verifies('P38') + 'the event relay', () => {
  let dir: string;
  let server: TestRedis;
  let reader: Redis;
  let broker: Relaying;

  beforeEach(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'hive-relay-'));
    server = new TestRedis(dir);
    await server.start();
    reader = server.connect();
    broker = new Relaying(dir, server.url);
  });

  afterEach(async () => {
    reader.disconnect();
    await broker.stop();
    await server.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  async function events(): Promise<HiveEvent[]> {
    const rows = await reader.xrange(EVENT_STREAM, '-', '+');
    return rows.map(([seq, fields]) => decodeEvent(seq, fields) as HiveEvent);
  }

  async function agents(): Promise<number[]> {
    return (await events()).map((event) => ('agent_id' in event ? Number(event.agent_id) : -1));
  }

  it('carries each commit to the stream in order and then forgets it', async () => {
    for (let id = 1; id <= 5; id++) await broker.change(id);
    await expect.poll(agents, SOON).toEqual([1, 2, 3, 4, 5]);
    await expect.poll(() => broker.outbox.count(), SOON).toBe(0);
    const seqs = (await events()).map((event) => parseSeq(event.seq)?.n);
    expect(seqs).toEqual([1, 2, 3, 4, 5]);
  });

  it('carries a burst in batches, nothing twice', async () => {
    const ids = Array.from({ length: 2000 }, (_, i) => i + 1);
    await Promise.all(ids.map((id) => broker.change(id)));
    await expect.poll(agents, SOON).toEqual(ids);
  });

  it('puts live events between the start of a turn and its end, and remembers how far it is', async () => {
    const at = isoTime(Date.now());
    broker.telemetry.events.store(
      { id: 7, agent: 'alice' },
      [
        { n: 0, at, kind: 'text', text: 'a' },
        { n: 1, at, kind: 'text', text: 'b' },
      ],
      0,
    );
    await broker.writer.submit(() => broker.changes.turnEnded(7));
    await expect
      .poll(async () => (await events()).map(({ kind }) => kind), SOON)
      .toEqual(['turn_event', 'turn_ended']);
    expect((await events())[0]).toMatchObject({
      turn_id: 't7',
      agent: 'alice',
      events: [{ text: 'a' }, { text: 'b' }],
    });
    await broker.stop();
    broker = new Relaying(dir, server.url);
    await broker.change(1);
    await expect.poll(async () => (await events()).length, SOON).toBe(3);
  });

  it('relays what a crash left behind, events of others included', async () => {
    await server.kill();
    await broker.change(1);
    await broker.writer.submit(() => broker.changes.publish([operation('o9')]));
    broker.crash();
    await server.start();
    broker = new Relaying(dir, server.url);
    await expect.poll(async () => (await events()).length, SOON).toBe(2);
    expect(await events()).toContainEqual(
      expect.objectContaining({ kind: 'operation_changed', operation: { id: 'o9', version: 3 } }),
    );
  });

  it('waits for a killed Redis without holding up the writer, and loses nothing', async () => {
    await broker.change(1);
    await expect.poll(agents, SOON).toEqual([1]);
    await reader.save();
    await server.kill();
    for (let id = 2; id <= 10; id++) await broker.change(id);
    await server.start();
    await expect.poll(agents, SOON).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('starts a new epoch when the stream is wiped under traffic, without a gap in either', async () => {
    for (let id = 1; id <= 150; id++) {
      if (id === 50) void reader.flushall();
      if (id === 100) void reader.flushall();
      await broker.change(id);
    }
    await expect.poll(async () => (await agents()).at(-1), SOON).toBe(150);
    const seqs = (await events()).map((event) => parseSeq(event.seq));
    expect(new Set(seqs.map((seq) => seq?.epoch)).size).toBe(1);
    expect(seqs.map((seq) => seq?.n)).toEqual(seqs.map((_, i) => i + 1));
    const ids = await agents();
    expect(ids).toEqual(ids.map((_, i) => (ids[0] ?? 0) + i));
  });

  it('starts a new epoch when Redis is restored from an old snapshot', async () => {
    await broker.change(1);
    await expect.poll(agents, SOON).toEqual([1]);
    const first = parseSeq((await events())[0]?.seq ?? '')?.epoch ?? 0;
    await reader.save();
    copyFileSync(path.join(dir, 'dump.rdb'), path.join(dir, 'old.rdb'));
    await broker.change(2);
    await expect.poll(agents, SOON).toEqual([1, 2]);
    await server.kill();
    copyFileSync(path.join(dir, 'old.rdb'), path.join(dir, 'dump.rdb'));
    await server.start();
    await broker.change(3);
    await expect.poll(agents, SOON).toEqual([1, 3]);
    const last = parseSeq((await events()).at(-1)?.seq ?? '');
    expect(last?.n).toBe(1);
    expect(last?.epoch).toBeGreaterThan(first);
  });

  it('gives up the oldest after a long outage, and says so by a new epoch', async () => {
    await broker.change(0);
    await expect.poll(agents, SOON).toEqual([0]);
    await reader.save();
    await server.kill();
    for (let id = 1; id <= 2 * MAX_WAITING_ROWS; id++) await broker.change(id);
    await expect.poll(() => broker.outbox.count(), SOON).toBeLessThan(MAX_WAITING_ROWS);
    await server.start();
    await expect.poll(async () => (await agents()).at(-1), SOON).toBe(2 * MAX_WAITING_ROWS);
    const all = await events();
    expect(parseSeq(all[1]?.seq ?? '')?.n).toBe(1);
    const ids = (await agents()).slice(1);
    expect(ids[0]).toBeGreaterThan(1);
    expect(ids).toEqual(ids.map((_, i) => (ids[0] ?? 0) + i));
  });

  it('runs without Redis: nothing piles up', async () => {
    await broker.stop();
    broker = new Relaying(dir, undefined);
    for (let id = 1; id <= 50; id++) await broker.change(id);
    await expect.poll(() => broker.outbox.count(), SOON).toBe(0);
  });

  it('repeats at most what a crash cut off, in order', async () => {
    for (let round = 0; round < 5; round++) {
      for (let id = 1; id <= 20; id++) void broker.change(round * 20 + id).catch(() => {});
      await expect.poll(async () => (await agents()).length, SOON).toBeGreaterThan(round * 20);
      broker.crash();
      broker = new Relaying(dir, server.url);
    }
    await broker.change(1000);
    await expect.poll(async () => (await agents()).at(-1), SOON).toBe(1000);
    // A crash may repeat, never lose or reorder.
    const ids = [...new Set(await agents())];
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(ids).toHaveLength(101);
  });
});
