import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { refusal, Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';
import type { AskedCommand } from './operator.service.js';

let swarm: Swarm;
beforeEach(async () => {
  swarm = await Swarm.open(['alice', 'bob', ['ext', { driver: 'external' }]]);
  await swarm.hello('bob');
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

const retry = async (message: string, recipient = swarm.id('bob')) =>
  swarm.broker.dashboard.retry_delivery({ id: `${message}.${recipient}` }, swarm.context());

const command = async (request: AskedCommand) =>
  swarm.broker.dashboard.command(request, swarm.context());

describe(verifies('1.2', '1.12') + 'a dead delivery', () => {
  it('is visible with its reason, and tried again when the operator says so, still marked', async () => {
    const { id } = await swarm.send('alice', 'bob', 'poison');
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await swarm.end(await swarm.turn('bob'), { result_kind: 'failed', note: 'boom' });
      await swarm.pass(60);
    }
    const { messages } = await swarm.broker.dashboard.messages({}, swarm.context());
    expect(messages[0]?.deliveries).toMatchObject([
      { to: 'bob', state: 'dead', attempt: 5, reason: '5 turns failed on it: boom' },
    ]);
    const { message } = await retry(id);
    expect(message.deliveries).toMatchObject([{ state: 'queued', attempt: 1, hand_outs: 5 }]);
    expect(message.deliveries[0]).not.toHaveProperty('reason');
    const turn = await swarm.turn('bob');
    expect(turn.messages).toMatchObject([{ id, redelivered: true, attempt: 1 }]);
    await swarm.end(turn);
    expect(swarm.delivery(id, 'bob').state).toBe('acked');
    expect(await refusal(retry(id))).toBe('conflict');
  });

  it('begins its waits afresh: a harness that is lost in it is given it again at once', async () => {
    const { id } = await swarm.send('alice', 'bob', 'poison');
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await swarm.end(await swarm.turn('bob'), { result_kind: 'failed', note: 'boom' });
      await swarm.pass(60);
    }
    await retry(id);
    await swarm.turn('bob');
    await swarm.hello('bob', 2);
    expect((await swarm.poll('bob', { instance: 2 })).turn?.messages).toMatchObject([{ id }]);
  });

  it('is refused for what is not a delivery', async () => {
    const { id } = await swarm.send('alice', 'bob', 'hi');
    expect(await refusal(retry(id))).toBe('conflict');
    expect(await refusal(retry(id, swarm.id('alice')))).toBe('not_found');
    expect(await refusal(retry('m99'))).toBe('not_found');
    expect(await refusal(retry(id, 99))).toBe('not_found');
    expect(await refusal(retry('x'))).toBe('invalid_request');
  });
});

describe(verifies('P18') + "the operator's commands", () => {
  it('are refused where nobody could carry them out, or when they are incomplete', async () => {
    expect(await refusal(command({ agent: 'nobody', kind: 'compact' }))).toBe('not_found');
    expect(await refusal(command({ agent: 'ext', kind: 'compact' }))).toBe('conflict');
    expect(await refusal(command({ agent: 'bob', kind: 'model' }))).toBe('invalid_request');
    expect(await refusal(command({ agent: 'bob', kind: 'compact', model: 'x' }))).toBe(
      'invalid_request',
    );
  });

  it('carry the model that was asked for', async () => {
    const { id } = await command({ agent: 'bob', kind: 'model', model: 'bigger' });
    expect((await swarm.poll('bob')).commands).toEqual([{ id, kind: 'model', model: 'bigger' }]);
  });
});
