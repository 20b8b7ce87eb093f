import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LIMITS, type ResultKind } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { settled, Swarm, type TestTurn } from '../testing/swarm.js';
import { endRequest, removeTestFolders } from '../testing/test-broker.js';

let swarm: Swarm;
beforeEach(async () => {
  swarm = await Swarm.open(['alice', 'bob']);
  await swarm.hello('bob');
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

/** A turn of bob that `body` woke. */
async function wokenBy(body: string): Promise<{ id: string; turn: TestTurn }> {
  const { id } = await swarm.send('alice', 'bob', body);
  return { id, turn: await swarm.turn('bob') };
}

describe(verifies('P6', '1.2') + 'the end of a turn', () => {
  it('counts once: a repeat is answered and changes nothing', async () => {
    const { id, turn } = await wokenBy('hi');
    expect(await swarm.end(turn)).toEqual({ outcome: 'accepted', acked: [id], returned: [] });
    expect(await swarm.end(turn, { result_kind: 'failed' })).toEqual({
      outcome: 'repeated',
      acked: [id],
      returned: [],
    });
    expect(swarm.delivery(id, 'bob').state).toBe('acked');
  });

  it('of an unknown turn, or of another agent, is answered finally', async () => {
    await swarm.hello('alice');
    const { id, turn } = await wokenBy('hi');
    expect(await swarm.end({ ...turn, turn_id: 't99' })).toMatchObject({ outcome: 'unknown' });
    expect(await swarm.end({ ...turn, agent: 'alice' })).toMatchObject({ outcome: 'unknown' });
    expect(swarm.delivery(id, 'bob').state).toBe('leased');
  });

  it('that comes late acks what nobody has had since, and says superseded (EXECUTIONS H7)', async () => {
    const { id, turn } = await wokenBy('done, but reported late');
    await swarm.pass(LIMITS.lease_seconds + 1);
    expect(swarm.delivery(id, 'bob').state).toBe('queued');
    const late = { outcome: 'superseded', acked: [id], returned: [] };
    expect(await swarm.end(turn)).toEqual(late);
    expect(swarm.delivery(id, 'bob').state).toBe('acked');
    expect(await swarm.end(turn)).toEqual(late);
  });

  it('that comes late leaves alone what another turn holds (EXECUTIONS H7)', async () => {
    const { id, turn } = await wokenBy('hi');
    await swarm.pass(LIMITS.lease_seconds + 1);
    const second = await swarm.turn('bob');
    expect(await swarm.end(turn)).toEqual({ outcome: 'superseded', acked: [], returned: [id] });
    expect(swarm.delivery(id, 'bob')).toMatchObject({
      state: 'leased',
      turn: Number(second.turn_id.slice(1)),
    });
  });

  it('that comes late and failed acks nothing and adds no attempt', async () => {
    const { id, turn } = await wokenBy('hi');
    await swarm.pass(LIMITS.lease_seconds + 1);
    expect(await swarm.end(turn, { result_kind: 'failed' })).toMatchObject({ acked: [] });
    expect(swarm.delivery(id, 'bob')).toMatchObject({ state: 'queued', attempts: 0 });
  });

  it('that the former instance wrote to disk is applied by hello before anything goes back (EXECUTIONS H8)', async () => {
    const { id, turn } = await wokenBy('hi');
    const other = await swarm.send('alice', 'bob', 'not shown');
    await swarm.recv(turn);
    const hello = await swarm.hello('bob', 2, {
      ends: [{ turn_id: turn.turn_id, end: endRequest(1, { shown: [id] }) }],
    });
    expect(hello.ends).toEqual([
      {
        turn_id: turn.turn_id,
        answer: { outcome: 'accepted', acked: [id], returned: [other.id] },
      },
    ]);
    expect(hello.returned).toBe(0);
    const next = await swarm.turn('bob', { instance: 2 });
    expect(next.messages.map((message) => message.id)).toEqual([other.id]);
  });

  it('gets its row from the broker when the harness never reported', async () => {
    const { turn } = await wokenBy('hi');
    await swarm.pass(LIMITS.lease_seconds + 1);
    await expect
      .poll(
        async () =>
          (await swarm.broker.dashboard.agent_turns({ agent: 'bob' }, swarm.context())).turns,
      )
      .toMatchObject([
        { turn_id: turn.turn_id, result_kind: 'failed', note: expect.stringContaining('lost') },
      ]);
  });
});

describe(verifies('P13', '1.2') + 'a turn that failed', () => {
  it('returns its message marked, with an attempt more, and only after a back-off', async () => {
    const { id, turn } = await wokenBy('hi');
    expect(await swarm.end(turn, { result_kind: 'failed', note: 'exit 1' })).toMatchObject({
      acked: [],
      returned: [id],
    });
    expect((await swarm.poll('bob')).turn).toBeNull();
    await swarm.pass(4);
    expect((await swarm.poll('bob')).turn).toBeNull();
    await swarm.pass(2);
    const again = await swarm.turn('bob');
    expect(again.messages).toMatchObject([{ id, redelivered: true, attempt: 2 }]);
  });

  it('starts a waiting poll by itself when the back-off is over', async () => {
    const { turn } = await wokenBy('hi');
    await swarm.end(turn, { result_kind: 'failed' });
    const waiting = swarm.poll('bob', { wait_seconds: 50 });
    await settled();
    await swarm.pass(6);
    expect((await waiting).turn?.messages).toMatchObject([{ attempt: 2 }]);
  });

  it('kills its message after five attempts, with the reason, and nothing else of the turn (EXECUTIONS H20)', async () => {
    const { id, turn } = await wokenBy('poison');
    const innocent = await swarm.send('alice', 'bob', 'innocent');
    await swarm.recvShown(turn);
    await swarm.end(turn, { result_kind: 'failed', note: 'boom' });
    const mate = await swarm.turn('bob');
    expect(mate.messages.map((message) => message.id)).toEqual([innocent.id]);
    await swarm.end(mate);
    for (let attempt = 2; attempt <= 5; attempt += 1) {
      await swarm.pass(60);
      const again = await swarm.turn('bob');
      expect(again.messages).toMatchObject([{ id, attempt }]);
      await swarm.end(again, { result_kind: 'failed', note: 'boom' });
    }
    expect(swarm.delivery(id, 'bob')).toMatchObject({
      state: 'dead',
      attempts: 5,
      reason: '5 turns failed on it: boom',
    });
    expect(swarm.delivery(innocent.id, 'bob')).toMatchObject({ state: 'acked', attempts: 0 });
    await swarm.pass(1200);
    expect((await swarm.poll('bob')).turn).toBeNull();
  });

  it('is tried again alone: no low ones with it, and recv gives nothing new', async () => {
    const { id, turn } = await wokenBy('poison');
    await swarm.end(turn, { result_kind: 'failed' });
    await swarm.send('alice', 'bob', 'low', { priority: 'low' });
    await swarm.pass(6);
    const again = await swarm.turn('bob');
    expect(again.messages.map((message) => message.id)).toEqual([id]);
    await swarm.send('alice', 'bob', 'urgent', { priority: 'urgent' });
    expect(await swarm.recv(again, { max: 5 })).toMatchObject({ messages: [], pending: 2 });
  });

  it('is not given to a recv in the turn of another message', async () => {
    const { id, turn } = await wokenBy('poison');
    await swarm.end(turn, { result_kind: 'failed' });
    const other = await wokenBy('other');
    await swarm.pass(6);
    expect((await swarm.recv(other.turn, { max: 5 })).messages).toEqual([]);
    expect(swarm.delivery(id, 'bob').state).toBe('queued');
  });

  const innocent: ResultKind[] = [
    'rate_limited',
    'auth_failed',
    'budget',
    'cancelled',
    'compacted',
  ];
  it.each(innocent)('as %s adds no attempt', async (result_kind) => {
    const { id, turn } = await wokenBy('hi');
    await swarm.end(turn, { result_kind });
    expect(swarm.delivery(id, 'bob')).toMatchObject({ state: 'queued', attempts: 0 });
  });

  it('by the rate limit parks its agent, longer each time, and one click ends it', async () => {
    const { turn } = await wokenBy('hi');
    await swarm.end(turn, { result_kind: 'rate_limited' });
    await swarm.send('alice', 'bob', 'urgent', { priority: 'urgent' });
    expect((await swarm.poll('bob')).turn).toBeNull();
    await swarm.pass(6);
    const second = await swarm.turn('bob');
    await swarm.end(second, { result_kind: 'rate_limited' });
    await swarm.pass(6);
    expect((await swarm.poll('bob')).turn).toBeNull();
    await swarm.broker.dashboard.release({ agent: 'bob' }, swarm.context());
    expect((await swarm.poll('bob')).turn).not.toBeNull();
  });

  it('by the loss of its harness again and again is bounded by far more hand-outs', async () => {
    const { id } = await wokenBy('crashes everything');
    for (let n = 1; n < LIMITS.delivery_hand_outs; n += 1) {
      await swarm.pass(LIMITS.lease_seconds + 1);
      expect(swarm.delivery(id, 'bob')).toMatchObject({ state: 'queued', attempts: 0 });
      swarm.clock.advance(LIMITS.back_off_most_seconds * 1000);
      await settled();
      await swarm.turn('bob');
    }
    await swarm.pass(LIMITS.lease_seconds + 1);
    expect(swarm.delivery(id, 'bob')).toMatchObject({ state: 'dead', attempts: 0 });
  });
});

describe(verifies('P17') + 'a cancelled turn', () => {
  it('is held and wakes nobody, whatever else comes, until the operator writes (EXECUTIONS H25)', async () => {
    const { id, turn } = await wokenBy('hi');
    await cancel();
    await swarm.end(turn, { result_kind: 'cancelled' });
    expect(swarm.delivery(id, 'bob')).toMatchObject({ state: 'queued', held: 1, attempts: 0 });
    await swarm.pass(3600);
    expect((await swarm.poll('bob')).turn).toBeNull();
    const peer = await swarm.send('alice', 'bob', 'from a peer');
    const next = await swarm.turn('bob');
    expect(next.messages.map((message) => message.id)).toEqual([peer.id]);
    expect(next.pending).toBe(0);
    expect((await swarm.recv(next, { max: 5 })).messages).toEqual([]);
    await swarm.end(next);
    await swarm.operatorSends('bob', 'go on');
    expect((await swarm.turn('bob')).messages).toMatchObject([{ id, redelivered: true }]);
  });

  it('goes on when the operator presses go on', async () => {
    const { id, turn } = await wokenBy('hi');
    await cancel();
    await swarm.end(turn, { result_kind: 'cancelled' });
    const { agent } = await swarm.broker.dashboard.release({ agent: 'bob' }, swarm.context());
    expect(agent.turn_state).toBe('idle');
    expect((await swarm.turn('bob')).messages).toMatchObject([{ id }]);
  });

  it('with discard is closed as cancelled', async () => {
    const { id, turn } = await wokenBy('hi');
    await cancel(true);
    expect(await swarm.end(turn, { result_kind: 'cancelled' })).toMatchObject({ returned: [] });
    expect(swarm.delivery(id, 'bob')).toMatchObject({
      state: 'cancelled',
      reason: 'discarded by the operator',
    });
  });

  it('stays cancelled when its harness is lost before it says so', async () => {
    const { id } = await wokenBy('hi');
    await cancel();
    await swarm.pass(LIMITS.lease_seconds + 1);
    expect(swarm.delivery(id, 'bob')).toMatchObject({ state: 'queued', held: 1 });
  });

  it('that the operator did not ask for is an ordinary return: a stop of the agent redelivers', async () => {
    const { id, turn } = await wokenBy('hi');
    await swarm.end(turn, { result_kind: 'cancelled' });
    expect((await swarm.turn('bob')).messages).toMatchObject([{ id, redelivered: true }]);
  });
});

describe(verifies('5.6', 'P18') + 'request_next_turn', () => {
  it('becomes one message of the agent to itself when the turn ends well', async () => {
    const { turn } = await wokenBy('hi');
    await ask(turn);
    await ask(turn);
    await swarm.end(turn);
    const next = await swarm.turn('bob');
    expect(next).toMatchObject({
      wake_reason: 'continuation',
      messages: [{ from: 'self', from_kind: 'self', hop: 0 }],
      pending: 0,
    });
  });

  it('has no effect when the turn fails (EXECUTIONS H25)', async () => {
    const { id, turn } = await wokenBy('hi');
    await ask(turn);
    await swarm.end(turn, { result_kind: 'failed' });
    await swarm.pass(6);
    const next = await swarm.turn('bob');
    expect(next.messages.map((message) => message.id)).toEqual([id]);
    expect(next.pending).toBe(0);
  });

  it('is refused after twenty in a row', async () => {
    let { turn } = await wokenBy('hi');
    for (let n = 0; n < LIMITS.continuations; n += 1) {
      await ask(turn);
      await swarm.end(turn);
      turn = await swarm.turn('bob');
    }
    await expect(ask(turn)).rejects.toMatchObject({ code: 'conflict' });
    await swarm.end(turn);
    const fresh = await wokenBy('something new');
    await expect(ask(fresh.turn)).resolves.toBeDefined();
  });
});

/** The operator cancels bob's turn. */
function cancel(discard?: boolean): Promise<{ id: string }> {
  return Promise.resolve(
    swarm.broker.dashboard.command({ agent: 'bob', kind: 'cancel', discard }, swarm.context()),
  );
}

/** The turn's CLI asks for another turn. */
function ask(turn: TestTurn): Promise<{ note: string }> {
  return Promise.resolve(
    swarm.broker.gateway.request_next_turn({ credential: turn.run }, swarm.context()),
  );
}
