import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { HiveError, LIMITS, type EventsRequest, type TurnEvent } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { Retries } from '../gateway/retries.js';
import { createLog } from '../logging/log.js';
import { systemClock } from '../time/clock.js';
import { EventJournal } from './event-journal.js';

let folder: string;
let requests: EventsRequest[];
let answer: () => Promise<{ stored: number }>;
const stop = new AbortController();

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hive-events-'));
  requests = [];
  answer = () => Promise.resolve({ stored: 0 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function journal(): EventJournal {
  const log = createLog({}, systemClock, 'info', () => {});
  return new EventJournal({
    folder,
    instance: 3,
    client: {
      events: async (_, request) => {
        requests.push(request);
        return answer();
      },
    },
    retries: new Retries(systemClock, log),
    clock: systemClock,
    log,
    signal: stop.signal,
  });
}
const file = () => path.join(folder, 't1.jsonl');
const line = (n: number): string => {
  const event: TurnEvent = { n, at: '2026-11-22T10:00:00.000Z', kind: 'text', text: 'ä' };
  return JSON.stringify(event);
};
const sent = () => requests.flatMap((request) => request.events);

describe(verifies('5.1', '6.5') + 'live events', () => {
  it('are sent together soon after they happened, numbered from 0', async () => {
    const events = journal().open('t1');
    events.emit({ kind: 'text', text: 'a' });
    events.emit({ kind: 'text', text: 'b' });
    await expect.poll(() => requests.length).toBe(1);
    expect(requests[0]).toMatchObject({
      instance: 3,
      events: [
        { n: 0, text: 'a' },
        { n: 1, text: 'b' },
      ],
    });
    await events.finish();
    expect(existsSync(file())).toBe(false);
  });

  it('are sent in order, in batches that the hive takes', async () => {
    const events = journal().open('t1');
    for (let n = 0; n < 500; n += 1)
      events.emit({ kind: 'text', text: `${n} ${'x'.repeat(2000)}` });
    await events.finish();
    expect(sent().map((event) => event.n)).toEqual(Array.from({ length: 500 }, (_, n) => n));
    for (const request of requests) {
      expect(request.events.length).toBeLessThanOrEqual(LIMITS.turn_events_per_batch);
      expect(Buffer.byteLength(JSON.stringify(request))).toBeLessThan(LIMITS.request_bytes);
    }
  });

  it('leave out what a full disk cut off, and go on with the next', async () => {
    writeFileSync(file(), `${line(0)}\n${line(1).slice(0, 20)}\n${line(2)}\n`);
    await journal().sendLeftovers();
    expect(sent().map((event) => event.n)).toEqual([0, 2]);
    expect(existsSync(file())).toBe(false);
  });

  it('wait on disk for a gateway that is away', async () => {
    let isAway = true;
    answer = () =>
      isAway
        ? Promise.reject(new HiveError('unavailable', 'away'))
        : Promise.resolve({ stored: 1 });
    const events = journal().open('t1');
    events.emit({ kind: 'text', text: 'a' });
    await expect.poll(() => requests.length).toBeGreaterThan(1);
    events.emit({ kind: 'text', text: 'b' });
    const finished = events.finish();
    expect(readFileSync(file(), 'utf8').split('\n')).toHaveLength(3);
    isAway = false;
    await finished;
    expect(existsSync(file())).toBe(false);
    expect(sent().map((event) => event.text)).toContain('b');
  });

  it('of a former harness are sent, up to where a crash cut the file off', async () => {
    writeFileSync(file(), `${line(0)}\n${line(1)}\n{"n":2,"at`);
    await journal().sendLeftovers();
    expect(sent().map((event) => event.n)).toEqual([0, 1]);
    expect(existsSync(file())).toBe(false);
  });

  it('are dropped when the hive does not know the turn', async () => {
    answer = () => Promise.reject(new HiveError('not_found', 'no turn t1'));
    const events = journal().open('t1');
    events.emit({ kind: 'text', text: 'a' });
    await events.finish();
    events.emit({ kind: 'text', text: 'b' });
    await events.finish();
    expect(requests).toHaveLength(1);
    expect(existsSync(file())).toBe(false);
  });
});
