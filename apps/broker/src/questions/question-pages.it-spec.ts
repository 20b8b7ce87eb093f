import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { BrokerDashboardApi } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { refusal, Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';
import { Asking } from './testing/asking.js';

let swarm: Swarm;
const asking = new Asking(() => swarm);
beforeEach(async () => {
  swarm = await Swarm.open(['alice', 'bob']);
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

const list = async (query: BrokerDashboardApi['questions'][0]) => {
  const { questions, next } = await swarm.broker.dashboard.questions(query, swarm.context());
  return { ids: questions.map(({ id }) => id), next };
};

describe(verifies('2.1', '7.3') + 'the list of questions', () => {
  it('comes newest first, in pages, of an agent as asker or target, and of a state', async () => {
    await asking.ask('alice', '1');
    await asking.ask('alice', '2', { to: 'bob' });
    await asking.ask('bob', '3');
    await asking.operatorAnswers('q3', 'yes');
    await asking.ask('alice', '4');
    expect(await list({})).toEqual({ ids: ['q4', 'q3', 'q2', 'q1'], next: undefined });
    expect(await list({ limit: 2 })).toEqual({ ids: ['q4', 'q3'], next: 'q3' });
    expect(await list({ limit: 2, before: 'q3' })).toEqual({ ids: ['q2', 'q1'], next: undefined });
    expect((await list({ agent: 'bob' })).ids).toEqual(['q3', 'q2']);
    expect((await list({ agent: 'operator' })).ids).toEqual(['q4', 'q3', 'q1']);
    expect((await list({ state: 'answered' })).ids).toEqual(['q3']);
    expect((await list({ state: 'open', agent: 'alice' })).ids).toEqual(['q4', 'q2', 'q1']);
    expect((await list({ state: 'expired' })).ids).toEqual([]);
    expect(await list({ before: 'q999' })).toMatchObject({ ids: ['q4', 'q3', 'q2', 'q1'] });
  });

  it('looks at a bounded part for a page, and says where the next one begins', async () => {
    const add = swarm.broker.app.get(ThreadsDb).db.prepare(
      `INSERT INTO questions (asker, target, question, options, multi, hop, asked_at, state, resolved_at)
       VALUES (?, 0, 'x', '[]', 0, 0, 0, 'answered', 0)`,
    );
    add.run(swarm.id('bob'));
    for (let n = 0; n < 10_000; n += 1) add.run(swarm.id('alice'));
    expect(await list({ agent: 'bob' })).toEqual({ ids: [], next: 'q2' });
    expect(await list({ agent: 'bob', before: 'q2' })).toEqual({ ids: ['q1'], next: undefined });
  });

  it.each<[string, object]>([
    ['agent', { agent: 'Bob' }],
    ['agent', { agent: 7 }],
    ['state', { state: 'closed' }],
    ['before', { before: 'm1' }],
    ['before', { before: 'q0' }],
    ['limit', { limit: 0 }],
    ['limit', { limit: 201 }],
    ['limit', { limit: '5' }],
    ['from', { from: 1 }],
  ])('refuses a bad %s: %j', async (_field, query) => {
    expect(['invalid_request', 'unknown_field']).toContain(await refusal(list(query)));
  });

  it('does not know an agent that never was', async () => {
    expect(await refusal(list({ agent: 'nobody' }))).toBe('not_found');
  });

  it('is in the snapshot: what is open, and the 20 that were over last', async () => {
    for (let n = 1; n <= 25; n += 1) {
      const { id } = await asking.ask('alice', `${n}`);
      swarm.clock.advance(1);
      if (n > 1) await asking.operatorAnswers(id, 'yes');
    }
    const { questions } = await swarm.broker.dashboard.snapshot({ messages: 0 }, swarm.context());
    expect(questions.map(({ id }) => id)).toEqual([
      ...Array.from({ length: 20 }, (_, n) => `q${25 - n}`),
      'q1',
    ]);
  });
});
