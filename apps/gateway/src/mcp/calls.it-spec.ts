import { request } from 'node:http';

import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { CallSignal } from '#libs/ipc';
import { HiveError, type Message } from '#libs/protocol';
import { ManualClock } from '#libs/service';

import { verifies } from '../../../../test/requirements/verifies.js';
import type { AuthenticatedCaller } from '../door/door.js';
import { credentialOf } from '../door/identities.service.js';
import { GatewayFixture } from '../testing/gateway-fixture.js';
import { codeOf, textOf, type TestClient } from '../testing/mcp-client.js';
import { Sessions } from './sessions.service.js';

const MESSAGE: Message = {
  id: 'm12',
  thread_id: 'm12',
  from: 'bob',
  from_kind: 'agent',
  to: 'alice',
  body: 'hello',
  sent_at: '2026-01-01T00:00:00.000Z',
  age_seconds: 1,
  priority: 'normal',
  broadcast: false,
  redelivered: false,
  attempt: 1,
  hop: 0,
  kind: 'message',
};

let clock: ManualClock;
let fixture: GatewayFixture;
let alice: TestClient;

beforeEach(async () => {
  clock = new ManualClock();
  fixture = await GatewayFixture.start({ clock });
  fixture.broker.knows('run-1', 'alice', 'run');
  alice = await fixture.connect('run-1');
});
afterEach(() => fixture.stop());

/** A `recv` at the broker that waits until the test answers it. */
function parkRecv() {
  const parked = Promise.withResolvers<{
    answer: (result: unknown) => void;
    signal: CallSignal;
  }>();
  fixture.broker.on(
    'recv',
    (_: never, { signal }) => new Promise((resolve) => parked.resolve({ answer: resolve, signal })),
  );
  return parked.promise;
}

const confirmed = () =>
  fixture.broker.of('answers_written').flatMap((params) => params['request_ids'] as string[]);

describe(`${verifies('P1', 'P11', 'P12')}answers that were written whole`, () => {
  it('are told to the broker by the ids of their requests', async () => {
    fixture.broker.on('send', () => ({ id: 'm1', thread_id: 'm1', recipients: ['bob'] }));
    await alice.data('send', { to: 'bob', body: 'x' });
    await alice.data('recv');
    const made = ['send', 'recv'].map(
      (method) => fixture.broker.of(method as 'send')[0]?.['request_id'],
    );
    await expect.poll(confirmed).toEqual(made);
  });

  it('are told before the call that the client makes on reading them', async () => {
    for (let n = 0; n < 50; n++) await alice.data('recv');
    const order = fixture.broker.calls
      .filter(({ method }) => method === 'recv' || method === 'answers_written')
      .map(({ method }) => method);
    const told = Array.from({ length: 49 }, () => ['recv', 'answers_written']).flat();
    expect(order.slice(0, 98)).toEqual(told);
  });

  it('are not told when the connection closed first', async () => {
    const parked = parkRecv();
    const dead = request(`${fixture.url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: 'Bearer run-1',
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-session-id': alice.sessionId,
      },
    });
    dead.on('error', () => {});
    dead.end(
      JSON.stringify({
        jsonrpc: '2.0',
        id: 77,
        method: 'tools/call',
        params: { name: 'recv', arguments: { wait_seconds: 100 } },
      }),
    );
    const { answer, signal } = await parked;
    dead.destroy();
    await expect.poll(() => signal.aborted).toBe(true);
    answer({ messages: [MESSAGE], pending: 0 });
    fixture.broker.on('recv', () => ({ messages: [], pending: 0 }));
    await alice.data('recv');
    const second = fixture.broker.of('recv')[1]?.['request_id'];
    await expect.poll(confirmed).toEqual([second]);
  });

  it('are not told when the client cancelled', async () => {
    const parked = parkRecv();
    const cancel = new AbortController();
    const call = alice.call('recv', { wait_seconds: 100 }, { signal: cancel.signal });
    const outcome = call.catch((error: unknown) => error);
    const { signal } = await parked;
    cancel.abort();
    expect(await outcome).toBeInstanceOf(Error);
    await expect.poll(() => signal.aborted).toBe(true);
    fixture.broker.on('recv', () => ({ messages: [], pending: 0 }));
    await alice.data('recv');
    await expect.poll(confirmed).toEqual([fixture.broker.of('recv')[1]?.['request_id']]);
  });

  it('are not told when the answer is a refusal', async () => {
    fixture.broker.on('send', () => {
      throw new HiveError('inbox_full', 'bob has 1000 messages queued, the limit');
    });
    const refused = await alice.call('send', { to: 'bob', body: 'x' });
    expect(codeOf(refused)).toBe('inbox_full');
    await alice.data('recv');
    await expect.poll(confirmed).toEqual([fixture.broker.of('recv')[0]?.['request_id']]);
  });
});

describe(`${verifies('1.3')}a waiting recv`, () => {
  it('sends progress every 20 s where the client asked for it', async () => {
    const parked = parkRecv();
    const progress: number[] = [];
    const call = alice.data<{ message: Message }>(
      'recv',
      { wait_seconds: 180 },
      { onProgress: (report) => progress.push(report.progress) },
    );
    const { answer } = await parked;
    clock.advance(19_999);
    clock.advance(1);
    await expect.poll(() => progress).toEqual([20]);
    clock.advance(20_000);
    clock.advance(20_000);
    await expect.poll(() => progress).toEqual([20, 40, 60]);
    answer({ messages: [MESSAGE], pending: 2 });
    await expect(call).resolves.toMatchObject({ message: { id: 'm12' }, pending: 2 });
    clock.advance(60_000);
    expect(progress).toEqual([20, 40, 60]);
  });

  it('is repeated with the same id and what is left of its time when the broker restarts', async () => {
    const warnings: unknown[] = [];
    alice.client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
      warnings.push([params.level, params.data]);
    });
    const parked = parkRecv();
    const call = alice.data('recv', { wait_seconds: 100 });
    await parked;
    await fixture.broker.stop();
    const restarting = expect.stringContaining('broker is being restarted') as string;
    await expect.poll(() => warnings).toEqual([['warning', restarting]]);
    clock.advance(30_000);
    fixture.broker.on('recv', () => ({ messages: [MESSAGE], pending: 0 }));
    await fixture.broker.start();
    await expect.poll(() => (clock.advance(100), fixture.broker.of('recv').length)).toBe(2);
    await expect(call).resolves.toMatchObject({ message: { id: 'm12' } });
    const [first, second] = fixture.broker.of('recv');
    expect(second?.['request_id']).toBe(first?.['request_id']);
    expect(first?.['wait_ms']).toBe(100_000);
    expect(second?.['wait_ms']).toBeLessThanOrEqual(70_000);
    expect(second?.['wait_ms']).toBeGreaterThan(60_000);
  });
});

describe(`${verifies('P2', 'P4', 'I4')}a revoked run`, () => {
  it('has its waiting calls refused and its sessions closed before the broker is answered', async () => {
    const parked = parkRecv();
    const call = alice.call('recv', { wait_seconds: 100 });
    const { signal } = await parked;
    const other = await fixture.connect('run-1');
    const answer = await fixture.broker.callback('close_run', {
      credential: credentialOf('run-1'),
    });
    expect(answer).toEqual({ closed_sessions: 2 });
    expect(signal.aborted).toBe(true);
    expect(fixture.gateway.app.get(Sessions).size).toBe(0);
    const refused = await call;
    expect(codeOf(refused)).toBe('superseded');
    expect(textOf(refused)).toContain('this turn is over');
    await expect(other.call('recv')).rejects.toThrow(/Session not found/);
  });

  it('gets no message that reaches the gateway together with the revocation', async () => {
    const parked = parkRecv();
    const call = alice.call('recv', { wait_seconds: 100 });
    const { answer } = await parked;
    const closed = fixture.broker.callback('close_run', { credential: credentialOf('run-1') });
    answer({ messages: [MESSAGE], pending: 0 });
    await closed;
    expect(codeOf(await call)).toBe('superseded');
    expect(JSON.stringify(await call)).not.toContain('hello');
    expect(confirmed()).toEqual([]);
  });

  it('gets no message whose answer came just before the revocation', async () => {
    const parked = parkRecv();
    const call = alice.call('recv', { wait_seconds: 100 });
    const { answer } = await parked;
    answer({ messages: [MESSAGE], pending: 0 });
    // In the same chunk as the answer: frames of one tick are written together.
    await Promise.resolve();
    const closed = fixture.broker.callback('close_run', { credential: credentialOf('run-1') });
    await closed;
    expect(codeOf(await call)).toBe('superseded');
    expect(confirmed()).toEqual([]);
  });

  it('does not touch the sessions of others', async () => {
    fixture.broker.knows('run-2', 'alice', 'run');
    const other = await fixture.connect('run-2');
    await fixture.broker.callback('close_run', { credential: credentialOf('run-1') });
    await expect(other.call('recv')).resolves.toMatchObject({ structuredContent: { pending: 0 } });
  });

  it('is found out after a lost link by which the revocation could not come', async () => {
    await fixture.broker.stop();
    fixture.broker.forgets('run-1');
    await fixture.broker.start();
    await expect.poll(() => fixture.gateway.app.get(Sessions).size).toBe(0);
  });

  it('is found out when its agent goes', async () => {
    const parked = parkRecv();
    const call = alice.call('recv', { wait_seconds: 100 });
    await parked;
    fixture.broker.forgets('run-1');
    await fixture.broker.callback('agents_changed', {});
    expect(codeOf(await call)).toBe('superseded');
    await expect.poll(() => fixture.gateway.app.get(Sessions).size).toBe(0);
  });
});

describe(`${verifies('P12')}a closed session`, () => {
  it('is told to the broker, whoever closed it', async () => {
    const id = alice.sessionId;
    await alice.transport.terminateSession();
    await expect
      .poll(() => fixture.broker.of('session_closed'))
      .toEqual([{ credential: credentialOf('run-1'), session: id }]);
  });

  it('ends by itself when it is idle and nobody listens', async () => {
    const sessions = fixture.gateway.app.get(Sessions);
    const caller = { credential: credentialOf('run-1') } as AuthenticatedCaller;
    const id = alice.sessionId;
    await expect.poll(() => sessions.find(id, caller)?.isWatched).toBe(true);
    // The client holds a GET stream: it is there, however long it says nothing.
    clock.advance(3_600_000);
    expect(sessions.size).toBe(1);
    await alice.close();
    await expect.poll(() => sessions.find(id, caller)?.isWatched).toBe(false);
    clock.advance(1_800_000);
    expect(sessions.size).toBe(1);
    clock.advance(60_000);
    await expect.poll(() => sessions.size).toBe(0);
    await expect.poll(() => fixture.broker.of('session_closed')).toHaveLength(1);
  });
});

describe(`${verifies('P36')}a seventeenth session`, () => {
  it('is refused when all sixteen are at work', async () => {
    const done = Promise.withResolvers<unknown>();
    fixture.broker.on('list_agents', () => done.promise);
    const sessions = [alice];
    while (sessions.length < 16) sessions.push(await fixture.connect('run-1'));
    const calls = sessions.map((session) => session.call('list_agents'));
    await expect.poll(() => fixture.broker.of('list_agents').length).toBe(16);
    await expect(fixture.connect('run-1')).rejects.toThrow(/too_many_sessions.*limit is 16/);
    done.resolve({ agents: [] });
    const answers = await Promise.all(calls);
    expect(answers.every(({ isError }) => !isError)).toBe(true);
    await expect(fixture.connect('run-1')).resolves.toBeDefined();
  });
});

describe(`${verifies('P36')}the long-polls of a harness`, () => {
  it('are eight at most, beside those of its CLI', async () => {
    fixture.broker.knows('own', 'alice');
    const done = Promise.withResolvers<unknown>();
    fixture.broker.on('heartbeat', () => done.promise);
    const beat = async (waitSeconds: number) => {
      const answer = await fetch(`${fixture.url}/harness/v1/turns/t1/heartbeat`, {
        method: 'POST',
        headers: { authorization: 'Bearer own', 'content-type': 'application/json' },
        body: JSON.stringify({
          instance: 1,
          turn_state: 'running',
          confirm: [],
          wait_seconds: waitSeconds,
        }),
      });
      return { status: answer.status, text: await answer.text() };
    };
    const waiting = Array.from({ length: 8 }, () => beat(20));
    await expect.poll(() => fixture.broker.of('heartbeat').length).toBe(8);
    const ninth = await beat(20);
    expect(ninth.status).toBe(429);
    expect(ninth.text).toContain('too_many_waiting_calls');
    await expect(alice.data('recv', { wait_seconds: 1 })).resolves.toBeDefined();
    done.resolve({ lease_until: '2026-01-01T00:00:00.000Z', commands: [] });
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect((await beat(0)).status).toBe(200);
  });
});
