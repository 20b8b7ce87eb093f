import type { AgentRow, NeedsYou, NeedsYouKind } from '#libs/protocol';

import { needOf } from '../hive/mood.js';

/** Entries of one kind that the list shows; the others are counted. */
const MOST_OF_A_KIND = 5;

/** What has to be done about an agent itself. */
export interface StuckAgent {
  agent: AgentRow;
  /** Why, in words. */
  why: string;
}

/** Entries of the hive's list of one kind. */
export interface NeedGroup {
  kind: NeedsYouKind;
  /** Oldest first, MOST_OF_A_KIND at most. */
  shown: NeedsYou[];
  more: number;
}

/** In the order of what is lost by waiting: a question may expire, the rest is kept. */
const ORDER: readonly NeedsYouKind[] = [
  'question',
  'approval',
  'held_cancelled',
  'hop_limit',
  'dead_delivery',
  'reminder_failed',
];

/** The hive's list by kind; a kind of a newer hive comes last. */
export function groupsOf(list: readonly NeedsYou[]): NeedGroup[] {
  const byKind = new Map<NeedsYouKind, NeedsYou[]>(ORDER.map((kind) => [kind, []]));
  for (const need of list) {
    const group = byKind.get(need.kind);
    if (group) group.push(need);
    else byKind.set(need.kind, [need]);
  }
  return [...byKind]
    .filter(([, needs]) => needs.length > 0)
    .map(([kind, needs]) => ({
      kind,
      shown: needs.slice(0, MOST_OF_A_KIND),
      more: Math.max(0, needs.length - MOST_OF_A_KIND),
    }));
}

/**
 * Agents that cannot go on, as their rows tell: the broker does not know of crashes and logins. An agent that is held
 * stands in the hive's list already.
 */
export function stuckAgents(agents: readonly AgentRow[], list: readonly NeedsYou[]): StuckAgent[] {
  const listed = new Set(
    list.filter(({ kind }) => kind === 'held_cancelled').map(({ agent }) => agent),
  );
  return agents.flatMap((agent) => {
    const why = needOf(agent);
    const heldOnly = agent.state === 'running' && agent.turn_state === 'held' && !agent.needs_login;
    return why === undefined || (heldOnly && listed.has(agent.name)) ? [] : { agent, why };
  });
}
