import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { Sessions } from '../mcp/sessions.service.js';
import { codeOf, textOf } from '../testing/mcp-client.js';
import { TestHive } from '../testing/test-hive.js';

let hive: TestHive;

beforeEach(async () => {
  hive = await TestHive.start({ agents: ['alice', 'bob'] });
  await hive.withGateway();
});
afterEach(() => hive.stop());

describe(`${verifies('P36')}limits of one agent`, () => {
  it('are 16 sessions: the oldest idle one makes room', async () => {
    const sessions = [];
    for (let n = 0; n < 16; n++) sessions.push(await hive.connect('alice'));
    await hive.connect('bob');
    // The first one is used again, so the second is now the oldest.
    await sessions[0]?.data('whoami');
    await hive.connect('alice');
    const all = hive.gateway?.app.get(Sessions);
    expect(all?.size).toBe(17);
    await expect(sessions[1]?.call('whoami')).rejects.toThrow(/Session not found/);
    await expect(sessions[0]?.data('whoami')).resolves.toMatchObject({ name: 'alice' });
  });

  it('are 8 waiting calls, over all its sessions', async () => {
    const first = await hive.connect('alice');
    const second = await hive.connect('alice');
    const waiting = Array.from({ length: 8 }, (_, n) =>
      (n % 2 === 0 ? first : second).call('recv', { wait_seconds: 100 }),
    );
    const probe = await hive.connect('alice');
    await expect
      .poll(async () => codeOf(await probe.call('recv', { wait_seconds: 1 })))
      .toBe('too_many_waiting_calls');
    const refused = await probe.call('recv_batch', { max: 2, wait_seconds: 1 });
    expect(textOf(refused)).toMatch(/limit is 8.*wait_seconds 0/);
    // What does not wait, and other agents, are not concerned.
    await expect(probe.data('recv')).resolves.toMatchObject({ message: null });
    const bob = await hive.connect('bob');
    for (let n = 0; n < 8; n++) await bob.data('send', { to: 'alice', body: `${n}` });
    const answers = await Promise.all(waiting);
    expect(answers.map(({ isError }) => isError ?? false)).toEqual(Array(8).fill(false));
    await expect(probe.data('recv', { wait_seconds: 1 })).resolves.toBeDefined();
  });
});
