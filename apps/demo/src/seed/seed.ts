import type { Operator } from './operator.js';
import { FIRST_TASK, FIRST_TASK_KEY, type swarm } from './swarm.js';

/** What seeding did. */
export interface Seeded {
  spawned: string[];
  /** Whether the first task was given just now. */
  started: boolean;
}

/**
 * Makes the agents that are not there yet and, when nobody has spoken to the manager so far, gives it the first task.
 * Run again, it changes nothing.
 */
export async function seed(
  operator: Operator,
  agents: ReturnType<typeof swarm>,
  show: (line: string) => void,
): Promise<Seeded> {
  const known = new Set((await operator.agents()).map(({ name }) => name));
  const missing = agents.filter(({ name }) => !known.has(name));
  for (const { name, config } of missing) {
    const { state, error } = await operator.spawn(name, config);
    if (state !== 'done') throw new Error(`${name} could not be made: ${error ?? state}`);
    show(`${name} is there`);
  }
  const { messages } = await operator.messagesOf('manager');
  // What the hive tells the manager of the agents is no conversation yet.
  const started = messages.every(({ from }) => from === 'system');
  if (started) {
    const { id } = await operator.send({
      to: 'manager',
      body: FIRST_TASK,
      idempotency_key: FIRST_TASK_KEY,
    });
    show(`the manager has its first task (${id})`);
  }
  return { spawned: missing.map(({ name }) => name), started };
}
