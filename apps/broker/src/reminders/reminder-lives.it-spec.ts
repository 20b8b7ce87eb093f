import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifies } from '../../../../test/requirements/verifies.js';
import { reminderCalls } from '../testing/reminder-calls.js';
import { Swarm } from '../testing/swarm.js';
import { removeTestFolders } from '../testing/test-broker.js';

let swarm: Swarm;
const calls = reminderCalls(() => swarm);
beforeEach(async () => {
  swarm = await Swarm.open(['alice', 'bob']);
});
afterEach(() => swarm.broker.close());
afterAll(removeTestFolders);

describe(verifies('P25') + 'reminders of a destroyed agent', () => {
  it('rest while it is destroyed, and come late when it lives again', async () => {
    const { id } = await calls.remind('bob', { delay_seconds: 60 });
    await swarm.putAgent('bob', { state: 'destroyed' });
    expect(calls.row(id).state).toBe('paused');
    await swarm.pass(120);
    expect(calls.row(id).state).toBe('paused');
    await swarm.putAgent('bob', { state: 'running' });
    await swarm.pass(2);
    expect(calls.row(id).state).toBe('delivered');
    const { messages } = await swarm.recv('bob');
    expect(messages[0]?.reminder?.late_seconds).toBeGreaterThanOrEqual(60);
  });

  it('are cancelled when it is purged, failed ones too, so that they do not stay for ever', async () => {
    const { id } = await calls.remind('bob', { delay_seconds: 60 });
    const failed = await calls.remind('bob', { delay_seconds: 60 });
    calls.sql(`UPDATE reminders SET state = 'failed' WHERE id = ${failed.id.slice(1)}`);
    await swarm.putAgent('bob', { state: 'destroyed' });
    await swarm.broker.c0re.purge_agent({ agent_id: String(swarm.id('bob')) }, swarm.context());
    expect(calls.row(id).state).toBe('cancelled');
    expect(calls.row(failed.id)).toMatchObject({ state: 'cancelled', ended_at: swarm.clock.now() });
  });
});
