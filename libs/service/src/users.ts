/**
 * Numeric users of a hive that was started as root (P29). A hive owns one block of ids; the first 65,536 are its
 * services', each later run of 65,536 belongs to one agent, so that a container can map it whole.
 */
const IDS_PER_AGENT = 65_536;
/** The agent's own user within its run of ids. */
const AGENT_USER = 1000;
/** Ids of one hive: its services and 1,023 agents. */
export const IDS_PER_HIVE = 1024 * IDS_PER_AGENT;
/** Blocks below 2^31, the first left to the machine's own users. */
export const HIVE_BLOCKS = 31;

const SERVICE_USERS = {
  broker: 1,
  gateway: 2,
  dashboard: 3,
  scheduler: 4,
  redis: 5,
  git: 6,
} as const;
/** Services that run as a user of their own; `git` is what c0re runs git as, so that no git of it has any power. */
export type UnprivilegedService = keyof typeof SERVICE_USERS;

/** User and group id of a service; `base` is the hive's first id. */
export function serviceUser(base: number, service: UnprivilegedService): number {
  return base + SERVICE_USERS[service];
}

/** User and group id of the agent in `slot` (1 to 1,023). */
export function agentUser(base: number, slot: number): number {
  if (!Number.isInteger(slot) || slot < 1 || slot * IDS_PER_AGENT >= IDS_PER_HIVE) {
    throw new RangeError(`agent slot ${slot} is outside 1 to ${IDS_PER_HIVE / IDS_PER_AGENT - 1}`);
  }
  return base + slot * IDS_PER_AGENT + AGENT_USER;
}
