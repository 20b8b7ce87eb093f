import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { newRequestId, type CallContext } from '#libs/ipc';
import {
  decodeEvent,
  EVENT_STREAM,
  isoTime,
  parseSeq,
  type EventKind,
  type HiveEvent,
  type OperationRow,
} from '#libs/protocol';
import { createLogger } from '#libs/service';

import { verifies } from '../../../../test/requirements/verifies.js';
import { openBroker, type OpenBroker } from '../broker.js';
import { FakeGateway } from '../testing/fake-gateway.js';
import {
  endRequest,
  helloRequest,
  pollRequest,
  registryAgent,
  tokenOf,
} from '../testing/test-broker.js';
import { TestRedis } from './testing/redis-server.js';

const ALICE = tokenOf(1, 'alice');
const OPERATION: OperationRow = {
  version: 7,
  id: 'o1',
  kind: 'restart',
  agent: 'alice',
  state: 'running',
  parent: null,
  asked_by: 'operator',
  reason: '',
  asked_at: '2026-01-01T00:00:00.000Z',
  started_at: null,
  ended_at: null,
  error: null,
};

describe(verifies('P38', '7.1') + 'the events of a broker', () => {
  let dir: string;
  let server: TestRedis;
  let reader: Redis;
  let broker: OpenBroker;
  let context: CallContext;

  beforeEach(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'hive-events-'));
    server = new TestRedis(dir);
    await server.start();
    reader = server.connect();
    context = new FakeGateway().context();
    await open(server.url);
    const agents = [registryAgent(1, 'alice'), registryAgent(2, 'bob', { driver: 'external' })];
    await broker.c0re.put_registry({ revision: 1, agents }, context);
  });

  afterEach(async () => {
    await broker.close();
    reader.disconnect();
    await server.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  async function open(redisUrl?: string): Promise<void> {
    const logger = createLogger('broker', 'silent');
    broker = await openBroker({ dbDir: dir, ...(redisUrl ? { redisUrl } : {}), logger });
  }

  async function events(): Promise<HiveEvent[]> {
    const rows = await reader.xrange(EVENT_STREAM, '-', '+');
    return rows.flatMap(([seq, fields]) => decodeEvent(seq, fields) ?? []);
  }

  async function kinds(): Promise<EventKind[]> {
    return (await events()).map(({ kind }) => kind);
  }

  /** Waits for an event of the kind that has these fields; the newest one. */
  async function event(kind: EventKind, fields: object): Promise<HiveEvent> {
    const wanted = expect.objectContaining({ kind, ...fields });
    await expect.poll(events, { timeout: 20_000 }).toContainEqual(wanted);
    const found = (await events()).findLast((candidate) => wanted.asymmetricMatch(candidate));
    if (!found) throw new Error(`no ${kind}`);
    return found;
  }

  async function send(body: string): Promise<string> {
    const request_id = newRequestId(Date.now());
    const { id } = await broker.dashboard.send({ request_id, to: 'alice', body }, context);
    return id;
  }

  it('tell the whole life of a message and its turn, each row whole', async () => {
    const { gateway } = broker;
    const id = await send('hello');
    await event('message_sent', { message: expect.objectContaining({ id, body: 'hello' }) });
    await gateway.hello({ credential: ALICE, ...helloRequest(1) }, context);
    const poll = { credential: ALICE, ...pollRequest(1, 'run') };
    const { turn } = await gateway.poll_turn(poll, context);
    const turn_id = turn?.turn_id ?? '';
    const started = await event('turn_started', {});
    expect(started).toMatchObject({ turn: { turn_id, agent: 'alice', result_kind: null } });
    const live = { n: 0, at: isoTime(Date.now()), kind: 'text' as const, text: 'working' };
    await gateway.turn_events({ credential: ALICE, turn_id, instance: 1, events: [live] }, context);
    expect(await event('turn_event', { turn_id })).toMatchObject({
      agent: 'alice',
      events: [live],
    });
    const end = endRequest(1, { shown: [id] });
    await gateway.end_turn({ credential: ALICE, turn_id, end }, context);
    const ended = await event('turn_ended', {});
    expect(ended).toMatchObject({ turn: { turn_id, result_kind: 'ok', input_tokens: 10 } });
    const acked = await event('delivery_changed', {
      message: expect.objectContaining({
        deliveries: [expect.objectContaining({ state: 'acked' })],
      }),
    });
    expect(acked).toMatchObject({ message: { id, from: 'operator', body: 'hello' } });
    const agent = await event('agent_changed', {
      agent: expect.objectContaining({ turn_state: 'idle', unread: 0, context_tokens: 100 }),
    });
    expect(agent).toMatchObject({ agent: { name: 'alice', driver: 'command' } });
    const order = await kinds();
    expect(order.indexOf('turn_started')).toBeLessThan(order.indexOf('turn_event'));
    expect(order.indexOf('turn_event')).toBeLessThan(order.indexOf('turn_ended'));
  });

  it('carry versions of which the snapshot knows the newest', async () => {
    await send('one');
    const sent = await event('message_sent', {});
    const snapshot = await broker.dashboard.snapshot({ messages: 10 }, context);
    expect(sent).toMatchObject({ message: { version: snapshot.version } });
    await send('two');
    const next = await event('message_sent', { message: expect.objectContaining({ body: 'two' }) });
    expect((next as { message: { version: number } }).message.version).toBeGreaterThan(
      snapshot.version,
    );
  });

  it('tell that an agent is gone', async () => {
    await event('agent_changed', { agent: expect.objectContaining({ name: 'bob' }) });
    const agents = [registryAgent(1, 'alice')];
    await broker.c0re.put_registry({ revision: 2, agents }, context);
    expect(await event('agent_removed', {})).toMatchObject({ agent_id: '2', name: 'bob' });
  });

  it("of c0re's rows survive a restart of the broker while Redis is away", async () => {
    await event('agent_changed', {});
    await server.kill();
    await broker.c0re.publish(
      { events: [{ kind: 'operation_changed', operation: OPERATION }] },
      context,
    );
    await broker.close();
    await open(server.url);
    await server.start();
    expect(await event('operation_changed', {})).toMatchObject({ operation: OPERATION });
  });

  it('wait while Redis is down, and messages go on', async () => {
    await event('agent_changed', {});
    await reader.save();
    await server.kill();
    const ids = [await send('one'), await send('two')];
    const { messages } = await broker.dashboard.messages({}, context);
    expect(messages.map(({ id }) => id)).toEqual(ids.toReversed());
    await server.start();
    await event('message_sent', { message: expect.objectContaining({ id: ids[1] }) });
    const seqs = (await events()).map(({ seq }) => parseSeq(seq));
    expect(new Set(seqs.map((seq) => seq?.epoch)).size).toBe(1);
    expect(seqs.map((seq) => seq?.n)).toEqual(seqs.map((_, i) => i + 1));
  });

  it('are not needed: a broker without Redis delivers, and a later Redis starts a new epoch', async () => {
    await event('agent_changed', {});
    const before = parseSeq((await events()).at(-1)?.seq ?? '');
    await broker.close();
    await open();
    await send('unseen');
    await broker.close();
    await open(server.url);
    const id = await send('seen');
    const sent = await event('message_sent', { message: expect.objectContaining({ id }) });
    expect(parseSeq(sent.seq)?.epoch).toBeGreaterThan(before?.epoch ?? 0);
  });
});
