import type { AgentConfig } from '#libs/protocol';

import type { ContainerLimits, ContainerNetwork } from '../containers/container-driver.js';

const UNITS: Readonly<Record<string, number>> = {
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};
/** Drivers whose CLI talks to a model. */
const MODEL_DRIVERS: ReadonlySet<AgentConfig['driver']> = new Set(['claude', 'codex', 'acp']);

/** The caps of the agent's config as a container takes them. */
export function containerLimits(limits: AgentConfig['limits']): ContainerLimits {
  const unit = UNITS[limits.memory.at(-1) ?? ''] ?? 1;
  return {
    memoryBytes: Number.parseInt(limits.memory, 10) * unit,
    cpus: limits.cpu,
    pids: limits.pids,
  };
}

/** What the agent's container may reach: what its config says, else what its CLI needs (P35). */
export function networkOf({ network, driver }: AgentConfig): ContainerNetwork {
  return network ?? (MODEL_DRIVERS.has(driver) ? 'model' : 'none');
}
