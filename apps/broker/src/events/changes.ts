import type { NewHiveEvent } from '#libs/protocol';

import type { ChangeSet, OutboxRow } from '../outbox/change-set.js';

const ID_LISTS = [
  'sent',
  'deliveries',
  'agents',
  'removed',
  'started',
  'ended',
  'questions_added',
  'questions_resolved',
  'reminders',
] as const;

/** The changes of several commits as if they were one: each id once, in the order of its first change. */
export function mergeChanges(rows: readonly OutboxRow[]): ChangeSet {
  const merged: ChangeSet = {};
  for (const list of ID_LISTS) {
    const ids = new Set(rows.flatMap((row) => row.changes[list] ?? []));
    if (list === 'deliveries') for (const sent of merged.sent ?? []) ids.delete(sent);
    if (list === 'removed' && merged.agents)
      merged.agents = merged.agents.filter((id) => !ids.has(id));
    if (ids.size > 0) merged[list] = [...ids];
  }
  const events: NewHiveEvent[] = rows.flatMap((row) => row.changes.events ?? []);
  if (events.length > 0) merged.events = events;
  if (rows.some((row) => row.changes.needs_you)) merged.needs_you = true;
  return merged;
}

/** How many events a set of changes becomes. */
export function countChanges(changes: ChangeSet): number {
  return ID_LISTS.reduce(
    (sum, list) => sum + (changes[list]?.length ?? 0),
    (changes.events?.length ?? 0) + (changes.needs_you ? 1 : 0),
  );
}
