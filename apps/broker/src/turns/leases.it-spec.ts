import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LIMITS } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { GatewayLinks } from '../links/gateway-links.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { FakeGateway } from '../testing/fake-gateway.js';
import { refusal, settled, Swarm, watch } from '../testing/swarm.js';
import { helloRequest, pollRequest, removeTestFolders, sha256 } from '../testing/test-broker.js';

const TERM = LIMITS.lease_seconds;

let swarm: Swarm;
beforeEach(async () => {
  swarm = await Swarm.open(['alice', 'bob']);
  await swarm.hello('bob');
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

describe(verifies('P14') + 'the lease of a turn', () => {
  it('ends a full term after the last heartbeat', async () => {
    const { id } = await swarm.send('alice', 'bob', 'hi');
    const turn = await swarm.turn('bob');
    await swarm.pass(TERM - 1);
    await swarm.heartbeat(turn);
    await swarm.pass(TERM - 1);
    expect(swarm.delivery(id, 'bob').state).toBe('leased');
    await swarm.pass(2);
    expect(swarm.delivery(id, 'bob')).toMatchObject({ state: 'queued', attempts: 0 });
    expect(await refusal(swarm.heartbeat(turn))).toBe('superseded');
  });

  it('has a full term again after a start of the broker (EXECUTIONS H22)', async () => {
    const { id } = await swarm.send('alice', 'bob', 'hi');
    const turn = await swarm.turn('bob');
    await swarm.pass(TERM - 5);
    swarm.crash();
    swarm.clock.advance(90_000);
    await swarm.reopen();
    await swarm.pass(TERM - 1);
    expect(swarm.delivery(id, 'bob').state).toBe('leased');
    await swarm.heartbeat(turn);
    await swarm.pass(TERM - 1);
    expect(swarm.delivery(id, 'bob').state).toBe('leased');
  });

  it('does not run while no gateway is connected, and has a full term once one is (EXECUTIONS H22)', async () => {
    const { id } = await swarm.send('alice', 'bob', 'hi');
    await swarm.turn('bob');
    await swarm.pass(TERM - 5);
    await swarm.broker.link.disconnect();
    await swarm.pass(300);
    expect(swarm.delivery(id, 'bob').state).toBe('leased');
    const next = new FakeGateway();
    swarm.broker.app.get(GatewayLinks).seen(next.peer);
    await swarm.pass(TERM - 1);
    expect(swarm.delivery(id, 'bob').state).toBe('leased');
    await swarm.pass(2);
    expect(swarm.delivery(id, 'bob').state).toBe('queued');
  });

  it('has a full term again when the gateway that carried its agent is gone and another is there', async () => {
    const { id } = await swarm.send('alice', 'bob', 'hi');
    await swarm.turn('bob');
    const other = new FakeGateway();
    swarm.broker.app.get(GatewayLinks).seen(other.peer);
    await swarm.pass(TERM - 5);
    await swarm.broker.link.disconnect();
    await swarm.pass(TERM - 1);
    expect(swarm.delivery(id, 'bob').state).toBe('leased');
  });

  it('has a full term again after a sweep that came late (EXECUTIONS H22)', async () => {
    const { id } = await swarm.send('alice', 'bob', 'hi');
    await swarm.turn('bob');
    await swarm.pass(TERM - 5);
    swarm.clock.stall(90_000);
    await swarm.pass(1);
    expect(swarm.delivery(id, 'bob').state).toBe('leased');
    await swarm.pass(TERM - 2);
    expect(swarm.delivery(id, 'bob').state).toBe('leased');
  });

  it('has a full term again when the wall clock jumped (EXECUTIONS H22)', async () => {
    const { id } = await swarm.send('alice', 'bob', 'hi');
    await swarm.turn('bob');
    await swarm.pass(TERM - 5);
    swarm.clock.jump(3_600_000);
    await swarm.pass(TERM - 2);
    expect(swarm.delivery(id, 'bob').state).toBe('leased');
  });
});

describe(verifies('P4') + 'a new harness instance', () => {
  it('takes the messages of the former over, marked, without an attempt', async () => {
    const { id } = await swarm.send('alice', 'bob', 'hi');
    await swarm.turn('bob');
    expect(await swarm.hello('bob', 2)).toMatchObject({ returned: 1 });
    const next = await swarm.turn('bob', { instance: 2 });
    expect(next.messages).toMatchObject([{ id, redelivered: true, attempt: 1 }]);
  });

  it('is given nothing before every gateway has closed the run of the former (EXECUTIONS H9)', async () => {
    await swarm.send('alice', 'bob', 'hi');
    const turn = await swarm.turn('bob');
    const parked = watch(swarm.recv(turn, { wait_ms: 180_000 }));
    const closing = Promise.withResolvers<void>();
    swarm.broker.link.onCloseRun = () => closing.promise;
    const hello = watch(swarm.hello('bob', 2));
    await settled();
    expect(swarm.broker.link.closedRuns).toEqual([turn.run]);
    expect(parked.refused).toBe('superseded');
    const poll = watch(
      swarm.broker.gateway.poll_turn(
        {
          credential: swarm.token('bob'),
          ...pollRequest(2, 'new-run', { wait_seconds: 50 }),
        },
        swarm.context(),
      ) as Promise<unknown>,
    );
    expect((await swarm.recv('bob', { session: 'bare' })).messages).toEqual([]);
    expect(hello.value).toBeUndefined();
    expect(poll.value).toBeUndefined();
    closing.resolve();
    await settled();
    expect(hello.value).toMatchObject({ returned: 1 });
    expect(poll.value).toMatchObject({ turn: { messages: [{ redelivered: true }] } });
  });

  it('waits for a gateway that does not answer no longer than until its connection is cut (EXECUTIONS H9)', async () => {
    await swarm.send('alice', 'bob', 'hi');
    await swarm.turn('bob');
    swarm.broker.link.onCloseRun = () => new Promise<void>(() => {});
    const hello = watch(swarm.hello('bob', 2));
    await settled();
    expect(hello.value).toBeUndefined();
    await swarm.pass(3);
    expect(swarm.broker.link.isOpen).toBe(false);
    expect(hello.value).toMatchObject({ returned: 1 });
  });

  it('is refused for ever once a higher one spoke, whatever it asks (EXECUTIONS H10)', async () => {
    await swarm.send('alice', 'bob', 'hi');
    const turn = await swarm.turn('bob');
    await swarm.hello('bob', 2);
    const refused = await Promise.all([
      refusal(swarm.hello('bob', 1)),
      refusal(swarm.poll('bob', { instance: 1 })),
      refusal(swarm.heartbeat(turn)),
      refusal(swarm.end(turn)),
    ]);
    expect(new Set(refused)).toEqual(new Set(['instance_superseded']));
    expect((await swarm.poll('bob', { instance: 2 })).turn).not.toBeNull();
  });

  it('is refused below the number that c0re gave out', async () => {
    await swarm.putAgent('bob', { instance: 5 });
    expect(await refusal(swarm.hello('bob', 4))).toBe('instance_superseded');
    await expect(swarm.hello('bob', 5)).resolves.toBeDefined();
  });

  it('is put off above the number that c0re gave out, and shuts out none that c0re starts', async () => {
    const { gateway } = swarm.broker;
    const credential = swarm.token('bob');
    const sayHello = async (instance: number) =>
      gateway.hello({ credential, ...helloRequest(instance) }, swarm.context());
    expect(await refusal(sayHello(Number.MAX_SAFE_INTEGER))).toBe('unavailable');
    expect(await refusal(sayHello(2))).toBe('unavailable');
    await expect(sayHello(1)).resolves.toBeDefined();
    await swarm.putAgent('bob', { instance: 2 });
    await expect(sayHello(2)).resolves.toBeDefined();
  });

  it('changes nothing by saying hello twice', async () => {
    await swarm.hello('bob', 2);
    const { id } = await swarm.send('alice', 'bob', 'hi');
    const turn = await swarm.turn('bob', { instance: 2 });
    expect(await swarm.hello('bob', 2)).toMatchObject({ returned: 0 });
    expect(await swarm.end(turn)).toMatchObject({ outcome: 'accepted', acked: [id] });
  });

  it('cannot poll before it said hello', async () => {
    expect(await refusal(swarm.poll('bob', { instance: 7 }))).toBe('conflict');
  });
});

describe(verifies('P4', 'P2') + 'an expired lease', () => {
  it('revokes the run: its calls are refused and its token is not taken again', async () => {
    await swarm.send('alice', 'bob', 'hi');
    const turn = await swarm.turn('bob');
    const parked = watch(swarm.recv(turn, { wait_ms: 180_000 }));
    await swarm.pass(TERM + 1);
    expect(parked.refused).toBe('superseded');
    expect(swarm.broker.link.closedRuns).toEqual([turn.run]);
    expect(await refusal(swarm.send(turn, 'alice', 'from the orphan'))).toBe('superseded');
    expect(await refusal(swarm.poll('bob', { run_token_hash: turn.run }))).toBe('superseded');
    await expect(swarm.turn('bob')).resolves.toBeDefined();
  });
});

describe(verifies('P7') + 'a grant', () => {
  it('whose answer was lost is given again as the same turn, marked (EXECUTIONS H11)', async () => {
    const { id } = await swarm.send('alice', 'bob', 'hi');
    const first = await swarm.turn('bob');
    expect(first).toMatchObject({ again: false, messages: [{ redelivered: false }] });
    const again = await swarm.turn('bob', { last_turn_id: null });
    expect(again).toMatchObject({
      turn_id: first.turn_id,
      again: true,
      messages: [{ id, redelivered: true, attempt: 1 }],
    });
    expect(await refusal(swarm.send(first, 'alice', 'x'))).toBe('superseded');
    expect(await swarm.end(again)).toMatchObject({ acked: [id] });
  });

  it('is given again after a crash of the broker between commit and answer', async () => {
    const { id } = await swarm.send('alice', 'bob', 'hi');
    let armed = true;
    swarm.crash();
    await swarm.reopen({
      faults: {
        afterCommit: () => {
          if (armed && swarm.delivery(id, 'bob').state === 'leased') throw new Error('crash');
        },
      },
    });
    const lost = watch(swarm.poll('bob'));
    await settled();
    expect(lost).toEqual({});
    armed = false;
    swarm.crash();
    await swarm.reopen();
    const turn = await swarm.turn('bob');
    expect(turn).toMatchObject({ again: true, messages: [{ id, redelivered: true }] });
  });

  it('goes to the newer of two polls (EXECUTIONS H11)', async () => {
    const older = watch(swarm.poll('bob', { wait_seconds: 50 }));
    await settled();
    const newer = watch(swarm.poll('bob', { wait_seconds: 50 }));
    await settled();
    expect(older.value).toEqual({ turn: null, commands: [] });
    await swarm.send('alice', 'bob', 'hi');
    await settled();
    expect(newer.value?.turn).not.toBeNull();
  });

  it('is refused while the turn that the harness knows of is live', async () => {
    await swarm.send('alice', 'bob', 'hi');
    const turn = await swarm.turn('bob');
    expect(await refusal(swarm.poll('bob', { last_turn_id: turn.turn_id }))).toBe('conflict');
  });

  it('leases nothing to a poll that was given up', async () => {
    const abort = new AbortController();
    const poll = watch(swarm.poll('bob', { wait_seconds: 50 }, abort.signal));
    await settled();
    abort.abort();
    const { id } = await swarm.send('alice', 'bob', 'hi');
    await settled();
    expect(poll.refused).toBe('cancelled');
    expect(swarm.delivery(id, 'bob').hand_outs).toBe(0);
  });

  it("does not take a run token that is another agent's, or an agent's own", async () => {
    await swarm.hello('alice');
    await swarm.send('alice', 'bob', 'hi');
    const turn = await swarm.turn('bob');
    const own = { run_token_hash: swarm.token('bob') };
    expect(await refusal(swarm.poll('alice', { run_token_hash: turn.run }))).toBe(
      'invalid_request',
    );
    expect(await refusal(swarm.poll('alice', own))).toBe('invalid_request');
    expect(await refusal(swarm.poll('alice', { run_token_hash: sha256('x') }))).toBeUndefined();
  });
});

describe(verifies('P7') + 'a sweep', () => {
  it('gives back what is leased to a turn that is not live', async () => {
    const { id } = await swarm.send('alice', 'bob', 'hi');
    await swarm.turn('bob');
    swarm.crash();
    await swarm.reopen();
    const { db } = swarm.broker.app.get(ThreadsDb);
    db.exec('UPDATE deliveries SET turn = 99');
    expect(await swarm.broker.scheduler.sweep_leases({}, swarm.context())).toEqual({
      expired: 0,
      returned: 1,
    });
    expect(swarm.delivery(id, 'bob').state).toBe('queued');
  });
});

describe(verifies('P18') + 'commands', () => {
  it('reach a waiting heartbeat at once, and stop coming when they are confirmed', async () => {
    await swarm.send('alice', 'bob', 'hi');
    const turn = await swarm.turn('bob');
    const waiting = watch(swarm.heartbeat(turn, { wait_seconds: 20 }));
    await settled();
    expect(waiting.value).toBeUndefined();
    const { id } = await command('cancel');
    await settled();
    expect(waiting.value?.commands).toEqual([{ id, kind: 'cancel', discard: false }]);
    expect((await swarm.heartbeat(turn)).commands).toHaveLength(1);
    expect((await swarm.heartbeat(turn, { confirm: [id] })).commands).toEqual([]);
  });

  it('that were given but not yet confirmed do not answer the next long-poll at once', async () => {
    await swarm.send('alice', 'bob', 'hi');
    const turn = await swarm.turn('bob');
    await command('compact');
    await swarm.heartbeat(turn, { wait_seconds: 20 });
    const waiting = watch(swarm.heartbeat(turn, { wait_seconds: 20 }));
    await settled();
    expect(waiting.value).toBeUndefined();
    await swarm.pass(21);
    expect(waiting.value?.commands).toHaveLength(1);
  });

  it('reach a waiting poll, survive a restart, and are kept until confirmed', async () => {
    const poll = watch(swarm.poll('bob', { wait_seconds: 50 }));
    await settled();
    const { id } = await command('new_session');
    await settled();
    expect(poll.value).toEqual({ turn: null, commands: [{ id, kind: 'new_session' }] });
    swarm.crash();
    await swarm.reopen();
    expect((await swarm.poll('bob')).commands).toEqual([{ id, kind: 'new_session' }]);
    expect((await swarm.poll('bob', { confirm: [id] })).commands).toEqual([]);
  });

  it('to cancel are refused without a turn, and forgotten when it ends', async () => {
    expect(await refusal(command('cancel'))).toBe('conflict');
    await swarm.send('alice', 'bob', 'hi');
    const turn = await swarm.turn('bob');
    await command('cancel');
    await swarm.end(turn);
    expect((await swarm.poll('bob')).commands).toEqual([]);
  });
});

describe(verifies('P4', 'P15') + 'a harness process', () => {
  it('that c0re reports as gone gives its messages back at once', async () => {
    const { id } = await swarm.send('alice', 'bob', 'hi');
    const turn = await swarm.turn('bob');
    const gone = { agent_id: '2', instance: 1 };
    expect(await swarm.broker.c0re.instance_ended(gone, swarm.context())).toEqual({ returned: 1 });
    expect(swarm.delivery(id, 'bob')).toMatchObject({ state: 'queued', attempts: 0 });
    expect(await swarm.broker.c0re.instance_ended(gone, swarm.context())).toEqual({ returned: 0 });
    expect(await refusal(swarm.heartbeat(turn))).toBe('instance_superseded');
    await swarm.hello('bob', 2);
    expect((await swarm.poll('bob', { instance: 2 })).turn).not.toBeNull();
  });
});

function command(kind: 'compact' | 'cancel' | 'new_session'): Promise<{ id: string }> {
  return Promise.resolve(swarm.broker.dashboard.command({ agent: 'bob', kind }, swarm.context()));
}
