import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { registryDigest } from '#libs/ipc';

import { verifies } from '../../../../test/requirements/verifies.js';
import { refusal, settled, Swarm, watch } from '../testing/swarm.js';
import { registryAgent, removeTestFolders, sha256 } from '../testing/test-broker.js';
import { RegistryService } from './registry.service.js';

let swarm: Swarm;
beforeEach(async () => {
  swarm = await Swarm.open(['alice', 'bob']);
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

describe(verifies('P26') + "the copy of c0re's registry", () => {
  it('has the revision and the digest of what was pushed, over a restart too', async () => {
    const agents = [registryAgent(1, 'alice'), registryAgent(2, 'bob')];
    const expected = { revision: 1, digest: registryDigest(agents) };
    expect(await swarm.broker.c0re.registry_revision({}, swarm.context())).toEqual(expected);
    await swarm.putAgent('bob', { reason: 'changed' });
    expect(await swarm.broker.c0re.registry_revision({}, swarm.context())).not.toEqual(expected);
  });

  it('refuses a change that does not follow the last, and then takes the whole', async () => {
    const agent = registryAgent(3, 'carol');
    const gap = swarm.broker.c0re.put_agent({ revision: 7, agent }, swarm.context());
    expect(await refusal(Promise.resolve(gap))).toBe('conflict');
    expect(await refusal(swarm.send('alice', 'carol', 'hi'))).toBe('unknown_recipient');
    const agents = [registryAgent(1, 'alice'), agent];
    await swarm.broker.c0re.put_registry({ revision: 7, agents }, swarm.context());
    await expect(swarm.send('alice', 'carol', 'hi')).resolves.toBeDefined();
    expect(await refusal(swarm.send('alice', 'bob', 'hi'))).toBe('unknown_recipient');
  });

  it('refuses two living agents of one name, and changes nothing', async () => {
    const agents = [registryAgent(1, 'alice'), registryAgent(5, 'alice')];
    const put = swarm.broker.c0re.put_registry({ revision: 9, agents }, swarm.context());
    expect(await refusal(Promise.resolve(put))).toBe('invalid_request');
    const other = { revision: 2, agent: registryAgent(5, 'alice') };
    const one = swarm.broker.c0re.put_agent(other, swarm.context());
    expect(await refusal(Promise.resolve(one))).toBe('conflict');
    expect(await swarm.broker.c0re.registry_revision({}, swarm.context())).toMatchObject({
      revision: 1,
    });
  });

  it("keeps the broker's own state of an agent", async () => {
    await swarm.broker.gateway.set_status(
      { credential: swarm.token('bob'), text: 'thinking' },
      swarm.context(),
    );
    await swarm.putAgent('bob', { reason: 'x' });
    const { agents } = await swarm.broker.gateway.list_agents(
      { credential: swarm.token('alice') },
      swarm.context(),
    );
    expect(agents).toMatchObject([{ name: 'alice' }, { name: 'bob', status_text: 'thinking' }]);
  });

  it('tells the gateways that agents changed', async () => {
    const before = swarm.broker.link.agentsChanged;
    await swarm.putAgent('bob', { run_dir: '/elsewhere' });
    expect(swarm.broker.link.agentsChanged).toBe(before + 1);
    const { agents } = await swarm.broker.gateway.agent_sockets({}, swarm.context());
    expect(agents).toContainEqual({ agent_id: '2', name: 'bob', run_dir: '/elsewhere' });
  });
});

describe(verifies('P25') + 'an agent that was destroyed', () => {
  it('has no credentials, its turn is over, and its gateways have closed its run', async () => {
    await swarm.hello('bob');
    const { id } = await swarm.send('alice', 'bob', 'hi');
    const turn = await swarm.turn('bob');
    const parked = watch(swarm.recv(turn, { wait_ms: 100_000 }));
    const bare = watch(swarm.recv('bob', { wait_ms: 100_000, session: 'bare' }));
    const closing = Promise.withResolvers<void>();
    swarm.broker.link.onCloseRun = () => closing.promise;
    const destroyed = watch(swarm.putAgent('bob', { state: 'destroyed' }));
    await settled();
    expect(destroyed).not.toHaveProperty('value');
    closing.resolve();
    await settled();
    expect(destroyed).toHaveProperty('value');
    expect(swarm.broker.link.closedRuns).toEqual(
      expect.arrayContaining([turn.run, swarm.token('bob')]),
    );
    expect([parked.refused, bare.refused]).toEqual(['superseded', 'unauthorized']);
    expect(await refusal(swarm.recv('bob'))).toBe('unauthorized');
    expect(await refusal(swarm.send(turn, 'alice', 'x'))).toBe('superseded');
    expect(await refusal(swarm.end(turn))).toBe('unauthorized');
    expect(swarm.delivery(id, 'bob').state).toBe('queued');
  });

  it('leaves its queue to itself: another of its name reads none of it, a revived one all', async () => {
    const { id } = await swarm.send('alice', 'bob', 'for the first bob');
    const agents = [registryAgent(1, 'alice'), registryAgent(9, 'bob')];
    await swarm.broker.c0re.put_registry({ revision: 2, agents }, swarm.context());
    const other = {
      credential: sha256('token-bob-9'),
      request_id: swarm.broker.requestId(),
      session: 's',
      max: 5,
      wait_ms: 0,
    };
    const { messages } = await swarm.broker.gateway.recv(other, swarm.context());
    expect(messages).toEqual([]);
    const revived = [registryAgent(1, 'alice'), registryAgent(2, 'bob')];
    await swarm.broker.c0re.put_registry({ revision: 3, agents: revived }, swarm.context());
    expect((await swarm.recv('bob')).messages).toMatchObject([{ id }]);
  });
});

describe(verifies('P25') + 'who keeps something of an agent', () => {
  it('is told once that it was destroyed, and that it lives again, however c0re says so', async () => {
    const told: string[] = [];
    const registry = swarm.broker.app.get(RegistryService);
    registry.onDestroyed(({ name, state }) => told.push(`${name} ${state}`));
    registry.onRevived(({ name, state }) => told.push(`${name} ${state}`));
    await swarm.putAgent('bob', { state: 'destroyed' });
    await swarm.putAgent('bob', { state: 'destroyed' });
    await swarm.putAgent('bob', { state: 'stopped' });
    await swarm.putAgent('bob', { state: 'running' });
    const without = [registryAgent(1, 'alice')];
    await swarm.broker.c0re.put_registry({ revision: 6, agents: without }, swarm.context());
    const whole = [registryAgent(1, 'alice'), registryAgent(2, 'bob'), registryAgent(3, 'carol')];
    await swarm.broker.c0re.put_registry({ revision: 7, agents: whole }, swarm.context());
    expect(told).toEqual(['bob destroyed', 'bob stopped', 'bob destroyed', 'bob running']);
  });
});

describe(verifies('5.7') + 'whoami', () => {
  it('tells what the harness said of itself', async () => {
    await swarm.hello('bob', 1, { model: 'big', hyperhive_rev: 'abc', driver: 'claude' });
    const me = await swarm.broker.gateway.whoami(
      { credential: swarm.token('bob') },
      swarm.context(),
    );
    expect(me).toEqual({
      name: 'bob',
      role: 'agent',
      model: 'big',
      driver: 'claude',
      hyperhive_rev: 'abc',
      started_at: '2026-01-01T00:00:00.000Z',
    });
  });
});
