import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { SendParams } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';

let swarm: Swarm;
beforeEach(async () => {
  swarm = await Swarm.open(['alice', 'bob', 'carol', 'dave']);
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

const stored = () =>
  swarm.broker.app.get(ThreadsDb).db.prepare('SELECT count(*) FROM messages').pluck().get();

/** The same recipients as `bob, carol, dave`. */
const SAME: [string, SendParams['to']][] = [
  ['in the same order', ['bob', 'carol', 'dave']],
  ['in another order', ['dave', 'bob', 'carol']],
  ['named twice', ['carol', 'dave', 'carol', 'bob']],
];
const OTHERS: [string, SendParams['to']][] = [
  ['one less', ['bob', 'carol']],
  ['one alone', 'bob'],
  ['everybody', '*'],
  ['the list as one name', 'bob,carol,dave'],
];
const LIST = ['bob', 'carol', 'dave'];

describe(verifies('P11', '1.12') + 'a send to a list with an idempotency key', () => {
  it.each(SAME)('that is sent again %s returns the first result', async (_how, to) => {
    const options = { idempotency_key: 'key' };
    const first = await swarm.send('alice', LIST, 'hi', options);
    const again = await swarm.send('alice', to, 'hi', options);
    expect(again).toMatchObject({ id: first.id, note: expect.stringContaining('already sent') });
    expect(again.recipients?.toSorted()).toEqual(LIST);
    expect(stored()).toBe(1);
  });

  it.each(SAME)('and again %s after a crash of the broker', async (_how, to) => {
    const options = { idempotency_key: 'key' };
    const first = await swarm.send('alice', LIST, 'hi', options);
    swarm.crash();
    await swarm.reopen();
    expect((await swarm.send('alice', to, 'hi', options)).id).toBe(first.id);
    expect(stored()).toBe(1);
  });

  it.each(OTHERS)('to %s is a conflict or no recipient, and sends nothing', async (_how, to) => {
    const options = { idempotency_key: 'key' };
    await swarm.send('alice', LIST, 'hi', options);
    await expect(swarm.send('alice', to, 'hi', options)).rejects.toMatchObject({
      code: expect.stringMatching(/^(idempotency_conflict|unknown_recipient)$/),
    });
    expect(stored()).toBe(1);
  });
});

describe(verifies('P11') + 'a send to a list whose answer nobody is known to have', () => {
  it.each(SAME)('absorbs one identical send %s', async (_how, to) => {
    const first = await swarm.send('alice', LIST, 'hi');
    const again = await swarm.send('alice', to, 'hi');
    expect(again).toMatchObject({ id: first.id, note: expect.stringContaining('already sent') });
    expect((await swarm.send('alice', to, 'hi')).id).not.toBe(first.id);
    expect(stored()).toBe(2);
  });

  it.each(SAME)('absorbs one %s after a crash of the broker', async (_how, to) => {
    const first = await swarm.send('alice', to, 'hi');
    swarm.crash();
    await swarm.reopen();
    expect((await swarm.send('alice', LIST, 'hi')).id).toBe(first.id);
    expect(stored()).toBe(1);
  });

  it.each(OTHERS.slice(0, 3))('is another one when it goes to %s', async (_how, to) => {
    const first = await swarm.send('alice', LIST, 'hi');
    expect((await swarm.send('alice', to, 'hi')).id).not.toBe(first.id);
    expect(stored()).toBe(2);
  });

  it('absorbs nothing once its answer was written', async () => {
    const request_id = swarm.broker.requestId();
    const first = await swarm.send('alice', LIST, 'hi', { request_id });
    await swarm.written(request_id);
    expect((await swarm.send('alice', LIST.toReversed(), 'hi')).id).not.toBe(first.id);
  });
});
