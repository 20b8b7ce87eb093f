import { createHash } from 'node:crypto';

import type { RegistryAgent } from '#libs/protocol';

/**
 * sha-256 (hex) over a registry, the same for c0re and the broker when their copies are equal (P26). Destroyed agents do
 * not count; the order of the entries does not matter.
 */
export function registryDigest(agents: readonly RegistryAgent[]): string {
  const hash = createHash('sha256');
  const living = agents.filter((agent) => agent.state !== 'destroyed');
  for (const agent of living.toSorted((a, b) => Number(a.agent_id) - Number(b.agent_id))) {
    hash.update(
      JSON.stringify([
        agent.agent_id,
        agent.name,
        agent.role,
        agent.driver,
        agent.model,
        agent.container,
        agent.token_hash,
        agent.state,
        agent.reason,
        agent.instance,
        agent.allowed_recipients,
        agent.quiet_window_ms,
        agent.inbox_limit,
        agent.sends_per_minute,
        agent.send_burst,
        agent.reminders_pending,
        agent.reminders_per_hour,
        agent.reminder_burst,
        agent.run_dir,
        agent.deployed_sha,
      ]),
    );
    hash.update('\n');
  }
  return hash.digest('hex');
}
