import { createHash } from 'node:crypto';

import type { Driver, RegistryAgent } from '#libs/protocol';

/** An agent of the benchmark. */
export interface BenchAgent {
  name: string;
  token: string;
  /** sha-256 of the token, as the broker knows it. */
  credential: string;
  driver: Driver;
}

export function makeAgents(prefix: string, count: number, driver: Driver): BenchAgent[] {
  return Array.from({ length: count }, (_, i) => {
    const name = `${prefix}${i}`;
    const token = `bench-token-of-${name}`;
    return { name, token, credential: createHash('sha256').update(token).digest('hex'), driver };
  });
}

/** The agents as c0re would push them; `runDir`: an existing folder of each. */
export function toRegistry(
  agents: readonly BenchAgent[],
  runDir: (agent: BenchAgent) => string,
): RegistryAgent[] {
  return agents.map((agent, index) => ({
    agent_id: String(index + 1),
    name: agent.name,
    role: 'agent',
    driver: agent.driver,
    model: null,
    container: null,
    token_hash: agent.credential,
    state: 'running',
    reason: '',
    instance: 1,
    allowed_recipients: [],
    // A burst to one agent is not what is measured.
    quiet_window_ms: 0,
    inbox_limit: 10_000_000,
    sends_per_minute: 1_000_000_000,
    send_burst: 1_000_000_000,
    reminders_pending: 10_000_000,
    reminders_per_hour: 1_000_000_000,
    reminder_burst: 1_000_000_000,
    run_dir: runDir(agent),
    deployed_sha: null,
  }));
}
