import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EVENT_FIELD, EVENT_STREAM, parseSeq, type EventSeq } from '#libs/protocol';
import { createLogger, ManualClock } from '#libs/service';

import { verifies } from '../../../../test/requirements/verifies.js';
import { EventStream, StreamUnavailableError } from './event-stream.js';
import type { StreamMark, StreamMemory } from './relay-memory.js';
import { TestRedis } from './testing/redis-server.js';
import { connectWriter } from './writer-connection.js';

class Memory implements StreamMemory {
  private stored: StreamMark | undefined;

  mark(): StreamMark | undefined {
    return this.stored;
  }
  saveMark(mark: StreamMark): void {
    this.stored = mark;
  }
}

describe(verifies('P38') + 'the event stream', () => {
  const logger = createLogger('broker', 'silent');
  let dir: string;
  let server: TestRedis;
  let reader: Redis;
  let writer: Redis;
  let clock: ManualClock;
  let memory: Memory;
  let stream: EventStream;

  beforeEach(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'hive-stream-'));
    server = new TestRedis(dir);
    await server.start();
    reader = server.connect();
    clock = new ManualClock();
    memory = new Memory();
    await openWriter();
  });

  afterEach(async () => {
    writer.disconnect();
    reader.disconnect();
    await server.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  async function openWriter(maxBytes?: number): Promise<void> {
    writer = connectWriter(server.url);
    writer.on('error', () => {});
    await writer.connect();
    stream = new EventStream({
      redis: writer,
      memory,
      clock,
      logger,
      ...(maxBytes ? { maxBytes } : {}),
    });
  }

  async function entries(): Promise<{ seq: EventSeq; event: string }[]> {
    const rows = await reader.xrange(EVENT_STREAM, '-', '+');
    return rows.map(([id, fields]) => {
      expect(fields[0]).toBe(EVENT_FIELD);
      return { seq: parseSeq(id) as EventSeq, event: fields[1] ?? '' };
    });
  }

  async function appendEventually(events: string[]): Promise<void> {
    await expect
      .poll(
        async () => {
          await stream.append(events);
          return true;
        },
        { timeout: 20_000 },
      )
      .toBe(true);
  }

  it('numbers the entries of an epoch from 1 without a gap', async () => {
    await stream.append(['a', 'b']);
    clock.advance(5000);
    await stream.append(['c']);
    const epoch = clock.now() - 5000;
    expect(await entries()).toEqual([
      { seq: { epoch, n: 1 }, event: 'a' },
      { seq: { epoch, n: 2 }, event: 'b' },
      { seq: { epoch, n: 3 }, event: 'c' },
    ]);
  });

  it('goes on in the same epoch after a restart of the broker', async () => {
    await stream.append(['a', 'b']);
    const epoch = clock.now();
    writer.disconnect();
    clock.advance(60_000);
    await openWriter();
    await stream.append(['c']);
    expect((await entries()).at(-1)).toEqual({ seq: { epoch, n: 3 }, event: 'c' });
  });

  it('starts a new, higher epoch when the stream was wiped, even when the clock jumped back', async () => {
    await stream.append(['a', 'b']);
    const first = clock.now();
    clock.jump(-3_600_000);
    await reader.flushall();
    await stream.append(['c', 'd']);
    expect(await entries()).toEqual([
      { seq: { epoch: first + 1, n: 1 }, event: 'c' },
      { seq: { epoch: first + 1, n: 2 }, event: 'd' },
    ]);
  });

  it('starts a new epoch when Redis came back from an old snapshot', async () => {
    await stream.append(['a']);
    await reader.save();
    copyFileSync(path.join(dir, 'dump.rdb'), path.join(dir, 'old.rdb'));
    await stream.append(['b', 'c']);
    const first = clock.now();
    clock.advance(1000);
    await server.kill();
    copyFileSync(path.join(dir, 'old.rdb'), path.join(dir, 'dump.rdb'));
    await server.start();
    await appendEventually(['d']);
    const now = await entries();
    expect(now[0]).toEqual({ seq: { epoch: first, n: 1 }, event: 'a' });
    expect(now.at(-1)).toEqual({ seq: { epoch: first + 1000, n: 1 }, event: 'd' });
  });

  it('starts a new epoch when the snapshot came back while the broker was down', async () => {
    await stream.append(['a']);
    await reader.save();
    copyFileSync(path.join(dir, 'dump.rdb'), path.join(dir, 'old.rdb'));
    await stream.append(['b']);
    writer.disconnect();
    await server.kill();
    copyFileSync(path.join(dir, 'old.rdb'), path.join(dir, 'dump.rdb'));
    await server.start();
    await openWriter();
    await stream.append(['c']);
    const last = (await entries()).at(-1);
    expect(last?.event).toBe('c');
    expect(last?.seq.n).toBe(1);
  });

  it('fails at once while Redis is away, and goes on in the epoch when Redis comes back whole', async () => {
    await stream.append(['a']);
    const epoch = clock.now();
    await reader.save();
    await server.kill();
    await expect(stream.append(['b'])).rejects.toBeInstanceOf(StreamUnavailableError);
    await server.start();
    await appendEventually(['b']);
    expect((await entries()).at(-1)).toEqual({ seq: { epoch, n: 2 }, event: 'b' });
  });

  it('leaves no gap when Redis refuses some entries in the middle', async () => {
    await stream.append(['a']);
    await reader.config('SET', 'maxmemory', '1');
    await expect(stream.append(['b', 'c'])).rejects.toBeInstanceOf(StreamUnavailableError);
    await reader.config('SET', 'maxmemory', '0');
    await stream.append(['b', 'c']);
    expect((await entries()).map(({ seq }) => seq.n)).toEqual([1, 2, 3]);
  });

  it('starts a new epoch on request, also over a restart of the broker before the next entry', async () => {
    await stream.append(['a']);
    const first = clock.now();
    stream.breakEpoch();
    writer.disconnect();
    await openWriter();
    await stream.append(['b']);
    expect((await entries()).at(-1)).toEqual({ seq: { epoch: first + 1, n: 1 }, event: 'b' });
  });

  it('keeps the stream within its bytes', async () => {
    writer.disconnect();
    await openWriter(100_000);
    const event = 'x'.repeat(10_000);
    for (let i = 0; i < 60; i++) await stream.append([event]);
    const length = await reader.xlen(EVENT_STREAM);
    expect(length).toBeGreaterThan(5);
    expect(length).toBeLessThan(20);
    expect((await entries()).at(-1)?.seq.n).toBe(60);
  });
});
