import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LIMITS } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { refusal, Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';

let swarm: Swarm;
beforeEach(async () => {
  swarm = await Swarm.open(['alice', 'bob']);
  for (const name of ['alice', 'bob']) await swarm.hello(name);
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

const open = async (agents: string[], text?: string, operation = 'o1') =>
  swarm.broker.c0re.open_restart_window(
    {
      operation,
      agents: agents.map((name) => String(swarm.id(name))),
      ...(text === undefined ? {} : { text }),
    },
    swarm.context(),
  );
const close = async (operation = 'o1') =>
  swarm.broker.c0re.close_restart_window({ operation }, swarm.context());
const waitsFor = async (message: string) => {
  const { messages } = await swarm.broker.dashboard.messages({}, swarm.context());
  return messages.find(({ id }) => id === message)?.deliveries[0]?.waits_for;
};

describe(verifies('P24', '1.12') + 'a planned restart', () => {
  it('holds what would wake its agents until the new harness says hello, and says so', async () => {
    await open(['bob']);
    const { id } = await swarm.send('alice', 'bob', 'hi');
    expect((await swarm.poll('bob')).turn).toBeNull();
    expect(await waitsFor(id)).toBe('restarting');
    await swarm.send('bob', 'alice', 'others go on');
    expect((await swarm.poll('alice')).turn).not.toBeNull();
    await swarm.hello('bob', 2);
    expect((await swarm.poll('bob', { instance: 2 })).turn?.messages).toMatchObject([{ id }]);
  });

  it('keeps the lease of a turn past its term, and begins a full one at its end', async () => {
    await swarm.send('alice', 'bob', 'hi');
    const turn = await swarm.turn('bob');
    await open(['bob']);
    await swarm.pass(300);
    expect(await swarm.heartbeat(turn)).toBeDefined();
    await swarm.pass(LIMITS.lease_seconds + 5);
    expect(await close()).toEqual({ closed: 1 });
    await swarm.pass(LIMITS.lease_seconds - 5);
    expect((await swarm.end(turn)).outcome).toBe('accepted');
  });

  it('tells each agent once, in one turn with what came back, and adds no attempt', async () => {
    const { id } = await swarm.send('alice', 'bob', 'work');
    await swarm.turn('bob');
    await open(['bob'], 'you were restarted');
    await open(['bob'], 'you were restarted');
    await swarm.broker.c0re.instance_ended(
      { agent_id: String(swarm.id('bob')), instance: 1 },
      swarm.context(),
    );
    await swarm.hello('bob', 2);
    const { turn } = await swarm.poll('bob', { instance: 2 });
    expect(turn).toMatchObject({ messages: [{ id, redelivered: true, attempt: 1 }], pending: 1 });
    const { messages } = await swarm.recv('bob', { max: 9 });
    expect(messages).toMatchObject([
      { event: 'restarted', from: 'system', kind: 'event', body: 'you were restarted' },
    ]);
  });

  it('tells an agent that is back before its window opens at once, and says who is not', async () => {
    await swarm.hello('bob', 2);
    const id = (name: string) => String(swarm.id(name));
    const opening = {
      operation: 'o1',
      agents: [id('alice'), id('bob')],
      text: 'you were restarted',
      instances: { [id('alice')]: 1, [id('bob')]: 1 },
    };
    for (let again = 0; again < 2; again += 1) {
      await swarm.broker.c0re.open_restart_window(opening, swarm.context());
    }
    const left = await swarm.broker.c0re.restart_window({ operation: 'o1' }, swarm.context());
    expect(left).toEqual({ agents: [id('alice')] });
    expect((await swarm.poll('bob', { instance: 2 })).turn?.messages).toMatchObject([
      { event: 'restarted', body: 'you were restarted' },
    ]);
    const signs = await swarm.broker.c0re.agent_signs({}, swarm.context());
    expect(signs.agents).toMatchObject([
      { agent_id: id('alice'), instance: 1, turn: false, is_heard: true },
      { agent_id: id('bob'), instance: 2, turn: true, is_heard: true, turn_state: 'running' },
    ]);
  });

  it('leaves at most one unread wake, whatever is restarted how often', async () => {
    for (const instance of [2, 3, 4]) {
      await open(['bob'], 'you were restarted', `o${instance}`);
      await swarm.hello('bob', instance);
    }
    const { messages } = await swarm.recv('bob', { max: 9 });
    expect(messages).toHaveLength(1);
  });

  it('goes on over a restart of the broker, and ends for all when its time is over', async () => {
    const { until } = await open(['bob']);
    expect(until).toBe('2026-01-01T00:10:00.000Z');
    swarm.crash();
    await swarm.reopen();
    await swarm.send('alice', 'bob', 'hi');
    expect((await swarm.poll('bob')).turn).toBeNull();
    await swarm.pass(LIMITS.restart_window_seconds + 2);
    expect((await swarm.poll('bob')).turn).not.toBeNull();
    expect(await close()).toEqual({ closed: 0 });
  });

  it.each([
    [{ operation: '', agents: [] }, 'invalid_request'],
    [{ operation: 'o', agents: ['x'] }, 'invalid_request'],
    [{ operation: 'o', agents: ['99'] }, 'not_found'],
    [{ operation: 'o', agents: [], text: 'a\0b' }, 'invalid_request'],
    [{ operation: 'o', agents: [], instances: { 1: -1 } }, 'invalid_request'],
    [{ operation: 'o', agents: [], more: 1 }, 'unknown_field'],
  ])('is refused for %j', async (params, code) => {
    const opened = (async () => swarm.broker.c0re.open_restart_window(params, swarm.context()))();
    expect(await refusal(opened)).toBe(code);
  });
});
