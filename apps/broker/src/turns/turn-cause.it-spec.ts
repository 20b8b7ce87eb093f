import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { EndRequest } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { reminderCalls } from '../testing/reminder-calls.js';
import { Swarm, type TestTurn } from '../testing/swarm.js';
import { endRequest, removeTestFolders } from '../testing/test-broker.js';

let swarm: Swarm;
const { remind } = reminderCalls(() => swarm);

beforeEach(async () => {
  swarm = await Swarm.open(['alice', 'bob']);
  for (const agent of ['alice', 'bob']) await swarm.hello(agent);
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

/** A turn of alice that her reminder woke. */
async function remindedTurn(): Promise<{ id: string; turn: TestTurn }> {
  const { id } = await remind('alice', { delay_seconds: 60 });
  await swarm.pass(61);
  const turn = await swarm.turn('alice');
  expect(turn.wake_reason).toBe('reminder');
  return { id, turn };
}

async function rowOf(turn: TestTurn) {
  const { turns } = await swarm.broker.dashboard.agent_turns(
    { agent: turn.agent },
    swarm.context(),
  );
  const row = turns.find(({ turn_id }) => turn_id === turn.turn_id);
  if (!row) throw new Error(`no row of ${turn.turn_id}`);
  return row;
}

const costing = (cost_usd: number): Partial<EndRequest> => {
  const { telemetry } = endRequest(1);
  if (!telemetry) throw new Error('no telemetry');
  return { telemetry: { ...telemetry, cost_usd } };
};

describe(verifies('6.4') + 'the cost of a turn', () => {
  it('is counted to its thread, and to no reminder when a peer or the operator woke it', async () => {
    const first = await swarm.send('bob', 'alice', 'hi');
    const turn = await swarm.turn('alice');
    expect(await rowOf(turn)).toMatchObject({ thread_id: first.thread_id, reminder_id: null });
    await swarm.end(turn);
    await swarm.operatorSends('alice', 'more');
    expect(await rowOf(await swarm.turn('alice'))).toMatchObject({ reminder_id: null });
  });

  it('is counted to the reminder that woke it, while it runs and after its end', async () => {
    const { id, turn } = await remindedTurn();
    expect(await rowOf(turn)).toMatchObject({ result_kind: null, reminder_id: id });
    await swarm.end(turn, costing(0.5));
    await expect
      .poll(() => rowOf(turn))
      .toMatchObject({ result_kind: 'ok', reminder_id: id, cost_usd: 0.5 });
  });

  it('follows what the reminder set off, at whichever agent, over a restart of the broker', async () => {
    const { id, turn } = await remindedTurn();
    const asked = await swarm.send(turn, 'bob', 'look into it');
    await swarm.end(turn, costing(1));
    await swarm.broker.close();
    await swarm.reopen();
    for (const agent of ['alice', 'bob']) await swarm.hello(agent);
    const atBob = await swarm.turn('bob');
    expect(await rowOf(atBob)).toMatchObject({ thread_id: asked.thread_id, reminder_id: id });
    await swarm.send(atBob, 'alice', 'done', { in_reply_to: asked.id });
    await swarm.end(atBob, costing(2));
    const reply = await swarm.turn('alice');
    await swarm.end(reply, costing(4));
    const stats = async (agent: string) =>
      swarm.broker.dashboard.agent_stats({ agent, window: '24h' }, swarm.context());
    await expect
      .poll(() => stats('alice'))
      .toMatchObject({
        turns: 2,
        cost_by_reminder: [{ reminder_id: id, turns: 2, cost_usd: 5 }],
        cost_by_thread: [{ thread_id: asked.thread_id, turns: 1, cost_usd: 4 }, { cost_usd: 1 }],
      });
    expect(await stats('bob')).toMatchObject({
      cost_by_reminder: [{ reminder_id: id, turns: 1, cost_usd: 2 }],
    });
  });

  it('stays with thread and reminder when the agent asked for its next turn', async () => {
    const { id, turn } = await remindedTurn();
    const { thread_id } = await rowOf(turn);
    await swarm.broker.gateway.request_next_turn({ credential: turn.run }, swarm.context());
    await swarm.end(turn);
    const next = await swarm.turn('alice');
    expect(await rowOf(next)).toMatchObject({
      wake_reason: 'continuation',
      thread_id,
      reminder_id: id,
    });
  });
});
