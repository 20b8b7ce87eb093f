import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { encodeEvent, EVENT_FIELD, EVENT_STREAM } from '#libs/protocol';

import { PrivateRedis } from '../../../../test/processes/private-redis.js';
import { verifies } from '../../../../test/requirements/verifies.js';
import { DashboardFixture } from '../testing/dashboard-fixture.js';
import { EventClient } from '../testing/event-client.js';
import { message } from '../testing/scripted-broker.js';

/** Long enough for a wiped stream to be noticed, which happens after a read that brought nothing. */
const NOTICED = { timeout: 10_000, interval: 20 };
const SOON = { timeout: 5000, interval: 10 };

let redis: PrivateRedis;
let writer: Redis;
let dashboard: DashboardFixture;
const clients: EventClient[] = [];

beforeAll(async () => {
  redis = await PrivateRedis.start();
  writer = redis.client();
  writer.on('error', () => undefined);
  dashboard = await DashboardFixture.start(redis.url);
});
afterAll(async () => {
  await dashboard.stop();
  writer.disconnect();
  await redis.stop();
});
beforeEach(async () => {
  await writer.flushall();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

/** Writes events `from` to `to` of an epoch as the broker does. */
async function write(epoch: number, from: number, to = from, body = 'x'): Promise<void> {
  const batch = writer.pipeline();
  for (let n = from; n <= to; n += 1) {
    const event = encodeEvent({ kind: 'message_sent', message: message(`m${n}`, body) });
    batch.xadd(EVENT_STREAM, `${epoch}-${n}`, EVENT_FIELD, event);
  }
  await batch.exec();
}

async function follow(after: string): Promise<EventClient> {
  const { client } = await EventClient.open(dashboard.events({ after }), dashboard.bearer);
  clients.push(client);
  return client;
}

function seqs(epoch: number, from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, at) => `${epoch}-${from + at}`);
}

async function state(): Promise<string> {
  const answer = await dashboard.asOperator('GET', '/api/state');
  return (answer.json() as { seq: string }).seq;
}

async function ticket(headers: Record<string, string>): Promise<string> {
  const answer = await dashboard.call('POST', '/api/ws-tickets', { headers });
  return (answer.json() as { ticket: string }).ticket;
}
async function status(url: string, headers: Record<string, string> = {}): Promise<number> {
  const { client, status: got } = await EventClient.open(url, headers);
  clients.push(client);
  return got;
}

describe(verifies('7.1', 'P38') + 'the event channel', () => {
  it('goes on behind the snapshot, without a gap and without a repeat', async () => {
    await write(1000, 1, 5);
    expect(await state()).toBe('1000-5');
    await write(1000, 6, 8);
    const client = await follow('1000-5');
    await expect.poll(() => client.seqs, SOON).toEqual(seqs(1000, 6, 8));
    await write(1000, 9, 10);
    await expect.poll(() => client.seqs, SOON).toEqual(seqs(1000, 6, 10));
    expect(client.frames[0]).toMatchObject({ kind: 'message_sent', message: { id: 'm6' } });
  });

  it('starts with the first event of a stream that was empty', async () => {
    expect(await state()).toBe('0-0');
    const client = await follow('0-0');
    await write(1001, 1, 3);
    await expect.poll(() => client.seqs, SOON).toEqual(seqs(1001, 1, 3));
  });

  it('brings more than a page of what was missed, while more is written', async () => {
    await write(1002, 1, 1500);
    const [early, late] = [await follow('1002-1'), await follow('1002-1400')];
    await write(1002, 1501, 2000);
    await expect.poll(() => early.frames.length, SOON).toBe(1999);
    await expect.poll(() => late.frames.length, SOON).toBe(600);
    expect(early.seqs).toEqual(seqs(1002, 2, 2000));
    expect(late.seqs).toEqual(seqs(1002, 1401, 2000));
  });

  it('says resync when what was missed is trimmed away, then goes on', async () => {
    await write(1003, 1, 50);
    await writer.xtrim(EVENT_STREAM, 'MAXLEN', 10);
    const [lost, held] = [await follow('1003-20'), await follow('1003-40')];
    await expect.poll(() => lost.seqs, SOON).toEqual(['resync']);
    await expect.poll(() => held.seqs, SOON).toEqual(seqs(1003, 41, 50));
    await write(1003, 51);
    await expect.poll(() => lost.seqs, SOON).toEqual(['resync', '1003-51']);
  });

  it.each([
    { epoch: 1101, after: '999-4' },
    { epoch: 1102, after: '1102-9' },
    { epoch: 1103, after: '0-0' },
    { epoch: 1104, after: '2000-1' },
  ])('says resync to a client that comes with $after to $epoch-3…5', async ({ epoch, after }) => {
    await write(epoch, 3, 5);
    const client = await follow(after);
    await expect.poll(() => client.seqs, SOON).toEqual(['resync']);
    await write(epoch, 6);
    await expect.poll(() => client.seqs, SOON).toEqual(['resync', `${epoch}-6`]);
  });

  it('says resync to every client when the stream is wiped, at once when a new one begins', async () => {
    await write(12005, 1, 3);
    const client = await follow('12005-1');
    await expect.poll(() => client.seqs, SOON).toEqual(['12005-2', '12005-3']);
    await writer.flushall();
    await write(12006, 1, 2);
    await expect.poll(() => client.frames.length, SOON).toBeGreaterThan(2);
    expect(client.seqs[2]).toBe('resync');
    await write(12006, 3);
    await expect.poll(() => client.seqs.at(-1), SOON).toBe('12006-3');
    expect(client.seqs.filter((seq) => seq === 'resync')).toHaveLength(1);
  });

  it('notices a wiped stream into which nothing is written', async () => {
    await write(12007, 1, 2);
    const client = await follow('12007-2');
    await writer.flushall();
    await expect.poll(() => client.seqs, NOTICED).toEqual(['resync']);
    expect(await state()).toBe('0-0');
  });

  it('notices a stream that came back from an older copy', async () => {
    await write(12008, 1, 5);
    const client = await follow('12008-5');
    await writer.flushall();
    await write(12008, 1, 3);
    await expect.poll(() => client.seqs, NOTICED).toEqual(['resync']);
    await write(12008, 4);
    await expect.poll(() => client.seqs, SOON).toEqual(['resync', '12008-4']);
  });

  it('treats an entry that cannot be read as lost', async () => {
    await write(12009, 1, 2);
    const client = await follow('12009-2');
    await writer.xadd(EVENT_STREAM, '12009-3', EVENT_FIELD, '{"half');
    await write(12009, 4);
    await expect.poll(() => client.seqs[0], NOTICED).toBe('resync');
    await write(12009, 5);
    await expect.poll(() => client.seqs.at(-1), SOON).toBe('12009-5');
  });

  it('keeps its sockets while Redis is away, and catches up', async () => {
    await write(12010, 1, 2);
    const client = await follow('12010-1');
    await expect.poll(() => client.seqs, SOON).toEqual(['12010-2']);
    const dumped = await writer.dumpBuffer(EVENT_STREAM);
    await redis.kill();
    expect((await dashboard.asOperator('GET', '/api/state')).status).toBe(200);
    expect(await state()).toBe('12010-2');
    const waiting = await follow('12010-2');
    await redis.start();
    await writer.restore(EVENT_STREAM, 0, dumped);
    await write(12010, 3, 4);
    await expect.poll(() => client.seqs.at(-1), NOTICED).toBe('12010-4');
    await expect.poll(() => waiting.seqs.at(-1), NOTICED).toBe('12010-4');
    expect(client.closed).toBeUndefined();
  });

  it('waits for a client that does not read, and serves the others meanwhile', async () => {
    await write(12011, 1);
    const slow = await follow('12011-1');
    const quick = await follow('12011-1');
    slow.socket.pause();
    const big = 'y'.repeat(4000);
    for (let n = 2; n < 12_000; n += 1000) await write(12011, n, n + 999, big);
    await expect.poll(() => quick.frames.length, NOTICED).toBe(12_000);
    slow.socket.resume();
    await expect.poll(() => slow.frames.length, NOTICED).toBe(12_000);
    expect(slow.seqs).toEqual(seqs(12011, 2, 12_001));
  });
});

describe(verifies('8.4', 'P30') + 'opening the event channel', () => {
  const query = { after: '0-0' };

  it('takes a ticket once', async () => {
    const url = dashboard.events({ ...query, ticket: await ticket(await dashboard.login()) });
    expect(await status(url)).toBe(101);
    expect(await status(url)).toBe(401);
  });

  it('takes the bearer of scripts; nothing else opens it', async () => {
    const session = await dashboard.login();
    const url = dashboard.events(query);
    expect(await status(url, dashboard.bearer)).toBe(101);
    expect(await status(url)).toBe(401);
    expect(await status(url, { cookie: session.cookie })).toBe(401);
    expect(await status(url, session)).toBe(401);
    expect(await status(url, { authorization: 'Bearer wrong' })).toBe(401);
    expect(await status(dashboard.events({ ...query, ticket: 'made-up' }))).toBe(401);
  });

  it.each(['http://evil.example', 'http://127.0.0.1:1', 'null'])(
    'refuses the origin %s and does not use up the ticket',
    async (origin) => {
      const url = dashboard.events({ ...query, ticket: await ticket(await dashboard.login()) });
      expect(await status(url, { origin })).toBe(403);
      expect(await status(url, { host: 'evil.example' })).toBe(403);
      expect(await status(url, { origin: dashboard.origin })).toBe(101);
    },
  );

  it.each(['', 'now', '1', '1-', '-1', '1-2-3', '1'.repeat(40)])(
    'refuses after=%s',
    async (after) => {
      expect(await status(dashboard.events({ after }), dashboard.bearer)).toBe(400);
    },
  );

  it('closes the sockets of a session that logs out, and no others', async () => {
    const [session, other] = [await dashboard.login(), await dashboard.login()];
    const open = async (headers: Record<string, string>) => {
      const url = dashboard.events({ ...query, ticket: await ticket(headers) });
      const { client } = await EventClient.open(url);
      clients.push(client);
      return client;
    };
    const [mine, theirs] = [await open(session), await open(other)];
    await dashboard.call('POST', '/api/logout', { headers: session });
    await expect.poll(() => mine.closed, SOON).toEqual({ code: 1008, reason: 'logged out' });
    expect(theirs.closed).toBeUndefined();
  });

  it('never logs a ticket', async () => {
    const used = await ticket(await dashboard.login());
    await status(dashboard.events({ ...query, ticket: used }));
    await status(dashboard.events({ ...query, ticket: used }));
    expect(dashboard.logged).not.toContain(used);
  });

  it('says that it goes away when the dashboard stops, and opens again after', async () => {
    await write(12020, 1, 2);
    const client = await follow('12020-2');
    await dashboard.close();
    await expect.poll(() => client.closed?.code, SOON).toBe(1001);
    await write(12020, 3);
    await dashboard.open();
    const resumed = await follow('12020-2');
    await expect.poll(() => resumed.seqs, SOON).toEqual(['12020-3']);
  });
});
