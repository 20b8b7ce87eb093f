import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LIMITS, type BroadcastJob, type SendParams } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { Writer } from '../storage/writer.service.js';
import { settled, Swarm, watch, type TestTurn } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';
import { LiveTurns } from '../turns/live-turns.js';

let swarm: Swarm;
let turn: TestTurn;

beforeEach(async () => {
  swarm = await Swarm.open(['alice', 'bob', 'carol']);
  for (const name of ['alice', 'bob', 'carol']) await swarm.hello(name);
  await swarm.send('bob', 'alice', 'start');
  turn = await swarm.turn('alice');
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

/** Makes the turn one that so many messages led to. */
async function atHop(hop: number): Promise<void> {
  const turns = swarm.broker.app.get(LiveTurns);
  await swarm.broker.app.get(Writer).submit(() => {
    const live = turns.of(swarm.id('alice'));
    if (live) turns.update(live, { hop });
  });
}

/** Carries out the chunks of all broadcasts, as the scheduler does. */
async function deliver(): Promise<void> {
  const { jobs } = await swarm.broker.scheduler.wanted_jobs(
    { queue: 'broadcasts', limit: 100 },
    swarm.context(),
  );
  const chunks = jobs.map(({ data }) => data as BroadcastJob);
  if (chunks.length > 0)
    await swarm.broker.scheduler.deliver_chunks({ jobs: chunks }, swarm.context());
}

const needsYou = async () =>
  (await swarm.broker.dashboard.needs_you({}, swarm.context())).needs_you.filter(
    ({ kind }) => kind === 'hop_limit',
  );

const CASES: [string, SendParams['to']][] = [
  ['a list', ['bob', 'carol']],
  ['a broadcast', '*'],
];

describe(verifies('P20', '1.13') + 'at the hop limit', () => {
  it.each(CASES)('%s still wakes its recipients', async (_what, to) => {
    await atHop(LIMITS.hops - 1);
    const { id } = await swarm.send(turn, to, 'round');
    await deliver();
    expect(swarm.message(id).hop).toBe(LIMITS.hops);
    for (const name of ['bob', 'carol']) {
      expect(swarm.delivery(id, name)).toMatchObject({ priority: 1, reason: null });
      expect((await swarm.poll(name)).turn?.messages).toMatchObject([{ id }]);
    }
    expect(await needsYou()).toEqual([]);
  });

  it.each(CASES)(
    '%s past it wakes none of them, whatever its priority, and the operator is told',
    async (_what, to) => {
      await atHop(LIMITS.hops);
      const { id } = await swarm.send(turn, to, 'round and round', { priority: 'urgent' });
      await deliver();
      expect(swarm.message(id).hop).toBe(LIMITS.hops + 1);
      const polls = ['bob', 'carol'].map((name) => watch(swarm.poll(name, { wait_seconds: 50 })));
      await settled();
      await swarm.pass(30);
      for (const poll of polls) expect(poll.value).toBeUndefined();
      for (const name of ['bob', 'carol'])
        expect(swarm.delivery(id, name)).toMatchObject({
          state: 'queued',
          priority: 2,
          reason: 'hop_limit',
        });
      expect((await needsYou()).map(({ agent }) => agent).toSorted()).toEqual(['bob', 'carol']);
    },
  );

  it.each(CASES)(
    '%s past it goes on, from 0, for the agent that the operator lets go on',
    async (_what, to) => {
      await atHop(LIMITS.hops);
      const { id } = await swarm.send(turn, to, 'round and round');
      await deliver();
      await swarm.broker.dashboard.release({ agent: 'bob' }, swarm.context());
      const released = await swarm.turn('bob');
      expect(released).toMatchObject({ hop: 0, messages: [{ id }] });
      expect((await swarm.poll('carol')).turn).toBeNull();
      expect((await needsYou()).map(({ agent }) => agent)).toEqual(['carol']);
      const answer = await swarm.send(released, 'carol', 'on');
      expect(swarm.message(answer.id).hop).toBe(1);
    },
  );

  it.each(CASES)(
    '%s past it is given to a recv, whose turn then stands past the limit too',
    async (_what, to) => {
      await atHop(LIMITS.hops);
      const { id } = await swarm.send(turn, to, 'round and round');
      await deliver();
      await swarm.operatorSends('bob', 'look at your mail');
      const bobs = await swarm.turn('bob');
      const seen = [...bobs.messages, ...(await swarm.recv(bobs, { max: 9 })).messages];
      expect(seen.map((message) => message.id)).toContain(id);
      const next = await swarm.send(bobs, 'carol', 'and again');
      expect(swarm.delivery(next.id, 'carol')).toMatchObject({ priority: 2, reason: 'hop_limit' });
    },
  );
});
