import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { refusal, Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';

let swarm: Swarm;
beforeEach(async () => {
  swarm = await Swarm.open(['alice', 'bob', 'carol']);
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

const thread = async (agent: string, id: string) =>
  swarm.broker.gateway.get_thread({ credential: swarm.token(agent), id }, swarm.context());

const ids = async (agent: string, id: string) =>
  (await thread(agent, id)).messages.map((message) => message.id);

describe(verifies('P34', '1.5') + 'get_thread', () => {
  it('shows each agent the messages that it sent or was handed, and no others', async () => {
    const root = await swarm.send('alice', 'bob', 'root');
    await swarm.recv('bob');
    const aside = await swarm.send('bob', 'carol', 'aside', { in_reply_to: root.id });
    await swarm.recv('carol');
    const reply = await swarm.send('bob', 'alice', 'reply', { in_reply_to: root.id });
    expect(await ids('bob', root.id)).toEqual([root.id, aside.id, reply.id]);
    expect(await ids('bob', reply.id)).toEqual([root.id, aside.id, reply.id]);
    expect(await ids('carol', root.id)).toEqual([aside.id]);
    expect(await ids('alice', root.id)).toEqual([root.id]);
    await swarm.recv('alice');
    expect(await ids('alice', root.id)).toEqual([root.id, reply.id]);
  });

  it('refuses unknown and foreign ids with the same words', async () => {
    const foreign = await swarm.send('alice', 'bob', 'hi');
    const refused = await Promise.all(
      [foreign.id, 'm99', 'x'].map(async (id) => {
        try {
          await thread('carol', id);
        } catch (error) {
          return (error as Error).message;
        }
        return 'not refused';
      }),
    );
    expect(new Set(refused).size).toBe(1);
    expect(await refusal(thread('carol', 'm99'))).toBe('not_found');
  });
});

describe(verifies('1.12') + "a sender's own message", () => {
  it('shows the state of its delivery, since when, and what it waits for', async () => {
    const sent = await swarm.send('alice', 'bob', 'hi');
    const delivery = async () => (await thread('alice', sent.id)).messages[0]?.deliveries;
    const waits = async () => (await delivery())?.[0]?.waits_for;
    expect(await delivery()).toMatchObject([
      { to: 'bob', state: 'queued', waits_for: 'no_harness' },
    ]);
    await swarm.putAgent('bob', { state: 'stopped' });
    expect(await waits()).toBe('stopped');
    await swarm.putAgent('bob', { state: 'running', quiet_window_ms: 60_000 });
    await swarm.hello('bob');
    expect(await waits()).toBe('quiet_window');
    swarm.clock.advance(60_000);
    expect(await waits()).toBe('ready');
    const turn = await swarm.turn('bob');
    expect(await delivery()).toMatchObject([{ to: 'bob', state: 'leased', hand_outs: 1 }]);
    await swarm.end(turn, { result_kind: 'failed' });
    expect(await delivery()).toMatchObject([
      { state: 'queued', waits_for: 'back_off', attempt: 2, hand_outs: 1 },
    ]);
    await swarm.pass(6);
    await swarm.end(await swarm.turn('bob'));
    expect(await delivery()).toMatchObject([{ state: 'acked' }]);
    expect((await delivery())?.[0]).not.toHaveProperty('waits_for');
  });

  it('to the operator is unread until it is read', async () => {
    const sent = await swarm.send('alice', 'operator', 'hi');
    const delivery = async () => (await thread('alice', sent.id)).messages[0]?.deliveries;
    expect(await delivery()).toMatchObject([
      { to: 'operator', state: 'queued', waits_for: 'unread' },
    ]);
    const { message } = await swarm.broker.dashboard.mark_read({ id: sent.id }, swarm.context());
    expect(message.deliveries).toMatchObject([{ to: 'operator', state: 'acked' }]);
    await swarm.broker.dashboard.mark_read({ id: sent.id }, swarm.context());
    expect(await delivery()).toMatchObject([{ state: 'acked' }]);
    const foreign = await swarm.send('alice', 'bob', 'not for the operator');
    const read = Promise.resolve(
      swarm.broker.dashboard.mark_read({ id: foreign.id }, swarm.context()),
    );
    expect(await refusal(read)).toBe('not_found');
  });
});
