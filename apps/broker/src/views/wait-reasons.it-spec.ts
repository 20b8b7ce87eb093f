import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { ResultKind, WaitReason } from '#libs/protocol';

import { verifies } from '../../../../test/requirements/verifies.js';
import { Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';

let swarm: Swarm;
beforeEach(async () => {
  swarm = await Swarm.open(['alice', 'bob']);
  await swarm.hello('bob');
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

/** Why a delivery waits, as the operator and as its sender see it. */
async function waitsFor(id: string): Promise<(WaitReason | undefined)[]> {
  const { messages } = await swarm.broker.dashboard.messages({}, swarm.context());
  const thread = await swarm.broker.gateway.get_thread(
    { credential: swarm.token('alice'), id },
    swarm.context(),
  );
  return [messages, thread.messages].map(
    (rows: { id: string; deliveries?: { waits_for?: WaitReason }[] }[]) =>
      rows.find((row) => row.id === id)?.deliveries?.[0]?.waits_for,
  );
}

const KINDS: [ResultKind, WaitReason][] = [
  ['rate_limited', 'rate_limited'],
  ['auth_failed', 'needs_login'],
  ['budget', 'budget'],
];

describe(verifies('1.12', 'P13') + 'a delivery to an agent whose last turn ended as', () => {
  it.each(KINDS)(
    '%s waits for %s: both what came back and what comes now',
    async (result_kind, reason) => {
      const { id } = await swarm.send('alice', 'bob', 'first');
      await swarm.end(await swarm.turn('bob'), { result_kind });
      expect(await waitsFor(id)).toEqual([reason, reason]);
      const later = await swarm.send('alice', 'bob', 'later', { priority: 'urgent' });
      expect(await waitsFor(later.id)).toEqual([reason, reason]);
      expect((await swarm.poll('bob')).turn).toBeNull();
      await swarm.broker.close();
      await swarm.reopen();
      await swarm.hello('bob');
      expect(await waitsFor(id)).toEqual([reason, reason]);
      await swarm.broker.dashboard.release({ agent: 'bob' }, swarm.context());
      expect((await swarm.turn('bob')).messages.map((message) => message.id)).toContain(later.id);
    },
  );

  it('budget waits for the operator alone, the others for a time', async () => {
    const woken: ResultKind[] = [];
    for (const [result_kind] of KINDS) {
      await swarm.send('alice', 'bob', result_kind);
      await swarm.end(await swarm.turn('bob'), { result_kind });
      swarm.clock.advance(2 * 3_600_000);
      await swarm.pass(1);
      const { turn } = await swarm.poll('bob');
      if (turn) woken.push(result_kind);
    }
    expect(woken).toEqual(['rate_limited', 'auth_failed']);
  });
});
