import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { refusal, settled, Swarm, watch } from '../testing/swarm.js';
import { endRequest, removeTestFolders } from '../testing/test-broker.js';

let swarm: Swarm;
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

const ids = ({ messages }: { messages: { id: string }[] }) => messages.map(({ id }) => id);

describe(verifies('1.3', 'P3') + 'recv', () => {
  it('takes what is there, in one batch, and says how many remain', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    for (const body of ['1', '2', '3', '4']) await swarm.send('alice', 'bob', body);
    const first = await swarm.recv('bob', { max: 3 });
    expect(first.messages.map(({ body }) => body)).toEqual(['1', '2', '3']);
    expect(first.pending).toBe(1);
  });

  it('answers with nothing when nothing came within its wait', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const waiting = watch(swarm.recv('bob', { wait_ms: 3000 }));
    await settled();
    await swarm.pass(2);
    expect(waiting.value).toBeUndefined();
    await swarm.pass(1);
    expect(waiting.value).toEqual({ messages: [], pending: 0 });
  });

  it('is answered by the send that it waited for, at once and leased to it', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const waiting = watch(swarm.recv('bob', { wait_ms: 180_000 }));
    await settled();
    const { id } = await swarm.send('alice', 'bob', 'hi');
    await settled();
    expect(waiting.value && ids(waiting.value)).toEqual([id]);
    expect(swarm.delivery(id, 'bob')).toMatchObject({ state: 'leased', hand_outs: 1 });
  });

  it('sees a send that arrives in the same turn of the event loop', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const waiting = watch(swarm.recv('bob', { wait_ms: 1000 }));
    await swarm.send('alice', 'bob', 'hi');
    await settled();
    expect(waiting.value?.messages).toHaveLength(1);
  });

  it('gives each of several waiting calls a message of its own, in their order', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const first = watch(swarm.recv('bob', { session: 'a', wait_ms: 1000 }));
    const second = watch(swarm.recv('bob', { session: 'b', wait_ms: 1000 }));
    await settled();
    await Promise.all([swarm.send('alice', 'bob', '1'), swarm.send('alice', 'bob', '2')]);
    await settled();
    expect(first.value?.messages[0]?.body).toBe('1');
    expect(second.value?.messages[0]?.body).toBe('2');
  });

  it('never leases to a call that was cancelled', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const abort = new AbortController();
    const waiting = watch(swarm.recv('bob', { wait_ms: 1000, signal: abort.signal }));
    await settled();
    abort.abort();
    const { id } = await swarm.send('alice', 'bob', 'hi');
    await settled();
    expect(waiting.refused).toBe('cancelled');
    expect(swarm.delivery(id, 'bob')).toMatchObject({ state: 'queued', hand_outs: 0 });
  });
});

describe(verifies('P1') + 'a recv in a turn', () => {
  it('is acked only when its answer was written whole (EXECUTIONS H1)', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const wake = await swarm.send('alice', 'bob', 'wake');
    await swarm.hello('bob');
    const turn = await swarm.turn('bob');
    const shown = await swarm.send('alice', 'bob', 'shown');
    await swarm.recvShown(turn);
    const lost = await swarm.send('alice', 'bob', 'lost');
    await swarm.recv(turn);
    expect(await swarm.end(turn, { shown: null })).toMatchObject({
      outcome: 'accepted',
      acked: [wake.id, shown.id],
      returned: [lost.id],
    });
    expect(swarm.delivery(lost.id, 'bob').state).toBe('queued');
    const next = await swarm.turn('bob');
    expect(next.messages).toMatchObject([{ id: lost.id, redelivered: true, attempt: 1 }]);
  });

  it('is acked only when the harness saw it reach the CLI, whatever the gateway wrote (EXECUTIONS H1, H28)', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const wake = await swarm.send('alice', 'bob', 'wake');
    await swarm.hello('bob');
    const turn = await swarm.turn('bob');
    const other = await swarm.send('alice', 'bob', 'other');
    await swarm.recvShown(turn);
    const end = await swarm.end(turn, { shown: [wake.id] });
    expect(end).toMatchObject({ acked: [wake.id], returned: [other.id] });
  });

  it('gives what was not shown again first, marked', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.send('alice', 'bob', 'wake');
    await swarm.hello('bob');
    const turn = await swarm.turn('bob');
    const lost = await swarm.send('alice', 'bob', 'lost');
    const next = await swarm.send('alice', 'bob', 'next');
    await swarm.recv(turn);
    const again = await swarm.recvShown(turn, { max: 5 });
    expect(again.messages).toMatchObject([
      { id: lost.id, redelivered: true },
      { id: next.id, redelivered: false },
    ]);
    expect(ids(await swarm.recv(turn, { max: 5 }))).toEqual([]);
  });

  it('gives a call that was given up nothing after the turn ended (EXECUTIONS H17)', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.send('alice', 'bob', 'wake');
    await swarm.hello('bob');
    const turn = await swarm.turn('bob');
    const parked = watch(swarm.recv(turn, { wait_ms: 180_000 }));
    await settled();
    const [, late] = await Promise.all([swarm.end(turn), swarm.send('alice', 'bob', 'late')]);
    await settled();
    expect(parked.refused).toBe('superseded');
    expect(swarm.delivery(late.id, 'bob')).toMatchObject({ state: 'queued', hand_outs: 0 });
  });

  it('can ack in mid turn, and what it acked does not come back when the turn fails', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    const wake = await swarm.send('alice', 'bob', 'wake');
    await swarm.hello('bob');
    const turn = await swarm.turn('bob');
    const acked = await swarm.broker.gateway.ack(
      { credential: turn.run, session: 's', ids: [wake.id, 'm99'] },
      swarm.context(),
    );
    expect(acked).toMatchObject({ acked: [wake.id], not_acked: [{ id: 'm99' }] });
    expect(await swarm.end(turn, { result_kind: 'failed' })).toMatchObject({ returned: [] });
    expect(swarm.delivery(wake.id, 'bob').state).toBe('acked');
  });
});

describe(verifies('P2') + 'a run credential', () => {
  it('is refused once its turn is over, for every call, and never works outside one (EXECUTIONS H2, H3)', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.send('alice', 'bob', 'wake');
    await swarm.hello('bob');
    const turn = await swarm.turn('bob');
    await swarm.end(turn);
    const waiting = await swarm.send('alice', 'bob', 'for the next turn');
    const call = { credential: turn.run };
    const { gateway } = swarm.broker;
    const refused = await Promise.all([
      refusal(swarm.send(turn, 'alice', 'too late')),
      refusal(swarm.recv(turn)),
      refusal(
        Promise.resolve(gateway.ack({ ...call, session: 's', ids: ['m1'] }, swarm.context())),
      ),
      refusal(
        Promise.resolve().then(() => gateway.get_thread({ ...call, id: 'm1' }, swarm.context())),
      ),
      refusal(Promise.resolve().then(() => gateway.whoami(call, swarm.context()))),
      refusal(Promise.resolve().then(() => gateway.list_agents(call, swarm.context()))),
      refusal(Promise.resolve(gateway.set_status({ ...call, text: 'x' }, swarm.context()))),
      refusal(Promise.resolve(gateway.request_next_turn(call, swarm.context()))),
    ]);
    expect(new Set(refused)).toEqual(new Set(['superseded']));
    expect(swarm.delivery(waiting.id, 'bob').hand_outs).toBe(0);
  });

  it('of an unknown token is unauthorized', async () => {
    swarm = await Swarm.open(['alice']);
    const call = async () =>
      swarm.broker.gateway.authenticate({ credential: 'f'.repeat(64) }, swarm.context());
    expect(await refusal(call())).toBe('unauthorized');
  });

  it('is not taken by the harness API', async () => {
    swarm = await Swarm.open(['alice', 'bob']);
    await swarm.send('alice', 'bob', 'wake');
    await swarm.hello('bob');
    const turn = await swarm.turn('bob');
    const end = swarm.broker.gateway.end_turn(
      { credential: turn.run, turn_id: turn.turn_id, end: endRequest(1) },
      swarm.context(),
    );
    expect(await refusal(Promise.resolve(end))).toBe('forbidden');
  });
});

describe(verifies('P12') + 'a bare client', () => {
  it('acks with its next recv only what it is known to have (EXECUTIONS H4)', async () => {
    swarm = await Swarm.open(['alice', 'ext']);
    const seen = await swarm.send('alice', 'ext', 'seen');
    await swarm.recvShown('ext');
    const lost = await swarm.send('alice', 'ext', 'lost');
    await swarm.recv('ext');
    expect(swarm.delivery(seen.id, 'ext').state).toBe('acked');
    const again = await swarm.recv('ext');
    expect(again.messages).toMatchObject([{ id: lost.id, redelivered: true, attempt: 1 }]);
    expect(swarm.delivery(lost.id, 'ext').state).toBe('leased');
    const next = await swarm.send('alice', 'ext', 'next');
    await swarm.recv('ext', { max: 2 });
    await swarm.recv('ext', { max: 1 });
    expect(swarm.delivery(next.id, 'ext').state).toBe('leased');
  });

  it('does not ack what was confirmed after the recv arrived (EXECUTIONS H4)', async () => {
    swarm = await Swarm.open(['alice', 'ext']);
    const first = await swarm.send('alice', 'ext', '1');
    const request_id = swarm.broker.requestId();
    await swarm.recv('ext', { request_id });
    // Both arrive in one turn of the event loop, the recv first.
    const second = swarm.recv('ext', { wait_ms: 0 });
    const confirmed = swarm.written(request_id);
    const result = await second;
    await confirmed;
    expect(swarm.delivery(first.id, 'ext').state).toBe('leased');
    expect(result.messages).toMatchObject([{ id: first.id, redelivered: true }]);
  });

  it('acks nothing of another session', async () => {
    swarm = await Swarm.open(['alice', 'ext']);
    const { id } = await swarm.send('alice', 'ext', '1');
    await swarm.recvShown('ext', { session: 'a' });
    await swarm.recv('ext', { session: 'b' });
    expect(swarm.delivery(id, 'ext').state).toBe('leased');
    const ack = { credential: swarm.token('ext'), session: 'b', ids: [id] };
    expect((await swarm.broker.gateway.ack(ack, swarm.context())).acked).toEqual([]);
    const mine = await swarm.broker.gateway.ack({ ...ack, session: 'a' }, swarm.context());
    expect(mine.acked).toEqual([id]);
  });

  it('loses its lease after ten minutes, and what it held comes back marked', async () => {
    swarm = await Swarm.open(['alice', 'ext']);
    const { id } = await swarm.send('alice', 'ext', '1');
    await swarm.recvShown('ext', { session: 'a' });
    await swarm.pass(599);
    expect(swarm.delivery(id, 'ext').state).toBe('leased');
    await swarm.pass(2);
    expect(swarm.delivery(id, 'ext').state).toBe('queued');
    const again = await swarm.recv('ext', { session: 'b' });
    expect(again.messages).toMatchObject([{ id, redelivered: true, attempt: 1 }]);
    await swarm.recv('ext', { session: 'a' });
    expect(swarm.delivery(id, 'ext')).toMatchObject({ state: 'leased', session: 'b' });
  });

  it('gives back what it holds when its session closes', async () => {
    swarm = await Swarm.open(['alice', 'ext']);
    const { id } = await swarm.send('alice', 'ext', '1');
    await swarm.recv('ext', { session: 'a' });
    const closed = await swarm.broker.gateway.session_closed(
      { credential: swarm.token('ext'), session: 'a' },
      swarm.context(),
    );
    expect(closed).toEqual({ returned: 1 });
    expect(await swarm.recv('ext', { session: 'b' })).toMatchObject({
      messages: [{ id, redelivered: true }],
    });
  });
});

describe(verifies('P9', 'P10', '1.11') + 'the order of messages', () => {
  it('goes by priority, then by the order in which they were stored, whatever the clock says (EXECUTIONS H18)', async () => {
    swarm = await Swarm.open(['alice', 'ext']);
    await swarm.send('alice', 'ext', 'low', { priority: 'low' });
    await swarm.send('alice', 'ext', 'first');
    swarm.clock.jump(-3_600_000);
    await swarm.send('alice', 'ext', 'second');
    swarm.clock.jump(7_200_000);
    await swarm.send('alice', 'ext', 'third');
    await swarm.send('alice', 'ext', 'urgent', { priority: 'urgent' });
    const { messages } = await swarm.recv('ext', { max: 32 });
    expect(messages.map(({ body }) => body)).toEqual(['urgent', 'first', 'second', 'third', 'low']);
  });

  it('keeps the place of what came back', async () => {
    swarm = await Swarm.open(['alice', 'ext']);
    const first = await swarm.send('alice', 'ext', '1');
    await swarm.recv('ext', { session: 'a' });
    const second = await swarm.send('alice', 'ext', '2');
    await swarm.broker.gateway.session_closed(
      { credential: swarm.token('ext'), session: 'a' },
      swarm.context(),
    );
    expect(ids(await swarm.recv('ext', { session: 'b', max: 2 }))).toEqual([first.id, second.id]);
  });

  it('lets the oldest normal one through after eight urgent ones (EXECUTIONS H21)', async () => {
    swarm = await Swarm.open(['alice', 'ext']);
    for (let n = 0; n < 3; n += 1) await swarm.send('alice', 'ext', `n${n}`);
    for (let n = 0; n < 20; n += 1)
      await swarm.send('alice', 'ext', `u${n}`, { priority: 'urgent' });
    const order: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      const { messages } = await swarm.recvShown('ext', { max: 5 });
      order.push(...messages.map(({ body }) => body));
    }
    expect(order.indexOf('n0')).toBe(8);
    expect(order.indexOf('n1')).toBe(17);
    expect(order).toHaveLength(23);
  });
});

describe(verifies('P11') + 'a repeated recv', () => {
  it('is answered the same and leases nothing more (EXECUTIONS H12)', async () => {
    swarm = await Swarm.open(['alice', 'ext']);
    const { id } = await swarm.send('alice', 'ext', '1');
    await swarm.send('alice', 'ext', '2');
    const request_id = swarm.broker.requestId();
    const first = await swarm.recv('ext', { request_id });
    swarm.crash();
    await swarm.reopen();
    const again = await swarm.recv('ext', { request_id });
    expect(again.messages).toEqual(first.messages);
    expect(swarm.delivery(id, 'ext').hand_outs).toBe(1);
  });

  it('that had found nothing is not given what came later', async () => {
    swarm = await Swarm.open(['alice', 'ext']);
    const request_id = swarm.broker.requestId();
    await swarm.recv('ext', { request_id });
    const { id } = await swarm.send('alice', 'ext', '1');
    expect((await swarm.recv('ext', { request_id })).messages).toEqual([]);
    expect(swarm.delivery(id, 'ext').state).toBe('queued');
  });

  it('gives nothing that another holds by now', async () => {
    swarm = await Swarm.open(['alice', 'ext']);
    await swarm.send('alice', 'ext', '1');
    const request_id = swarm.broker.requestId();
    await swarm.recv('ext', { request_id, session: 'a' });
    await swarm.broker.gateway.session_closed(
      { credential: swarm.token('ext'), session: 'a' },
      swarm.context(),
    );
    await swarm.recv('ext', { session: 'b' });
    expect((await swarm.recv('ext', { request_id, session: 'a' })).messages).toEqual([]);
  });
});
