import { DRIVEN } from './actions.js';
import { Violation } from './ledger.js';
import { perform } from './perform.js';
import type { World } from './world.js';

/** Longer than the longest back-off, park and bare lease. */
const LONG_MS = 700_000;
const ROUNDS = 40;

/** A run without faults from here on: everything that can wake ends acked or dead by its own failures (I5). */
export async function drain(world: World): Promise<void> {
  for (const agent of DRIVEN) {
    world.states.set(agent, 'running');
    await world.putAgent(agent);
    const harness = world.harnesses.get(agent);
    if (harness?.alive) await perform(world, { do: 'kill_harness', agent, zombie: false });
    await perform(world, { do: 'hello', agent, lose: false });
    await perform(world, { do: 'hello', agent, lose: false });
    await perform(world, { do: 'release', agent });
  }
  await perform(world, { do: 'redis', what: 'reconcile' });
  for (let round = 0; round < ROUNDS; round += 1) {
    await perform(world, { do: 'redis', what: 'relay' });
    await perform(world, { do: 'redis', what: 'run' });
    for (const agent of DRIVEN) {
      await perform(world, { do: 'poll', agent, lose: false });
      await perform(world, { do: 'recv', agent, max: 5, wait: false, lose: false, report: true });
      await perform(world, { do: 'end', agent, kind: 'ok', forget: 0, lose: false });
      await perform(world, { do: 'hello', agent, lose: false });
      await perform(world, { do: 'release', agent });
    }
    for (let n = 0; n < 3; n += 1) {
      await perform(world, {
        do: 'recv',
        agent: 'ext',
        max: 5,
        wait: false,
        lose: false,
        report: true,
      });
    }
    if (waiting(world).length === 0) return;
    await perform(world, { do: 'advance', ms: round % 4 === 3 ? LONG_MS : 300 });
  }
  throw new Violation(
    'I5',
    `still waiting after a fault-free run: ${JSON.stringify(waiting(world))}`,
  );
}

/** Deliveries of normal or urgent priority that are neither acked, dead nor cancelled. */
function waiting(world: World): unknown[] {
  const chunks = world.db.prepare('SELECT message, chunk FROM broadcast_chunks').all();
  const deliveries = world.db
    .prepare(
      `SELECT 'm' || message AS message, recipient, state, attempts, hand_outs, held, not_before, turn, session
       FROM deliveries WHERE recipient > 0 AND priority < 2 AND state IN ('queued', 'leased')`,
    )
    .all();
  return [...chunks, ...deliveries];
}
