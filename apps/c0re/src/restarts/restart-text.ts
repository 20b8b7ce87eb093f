import { formatId } from '#libs/protocol';

import type { Operation } from '../operations/operation.repository.js';

const DONE = {
  restart: 'You were restarted',
  rebuild: 'You were rebuilt',
  restart_all: 'All agents were restarted, the manager first',
  update_all: 'All agents were rebuilt, the manager first',
} as const;

/** What an agent is told when it is back. Reasons are others' words: they stand in quotes (P33). */
export function restartText(operation: Operation): string {
  const { id, kind, asked_by, reason } = operation;
  const what = DONE[kind as keyof typeof DONE];
  const why = reason === '' ? '' : `, because of ${JSON.stringify(reason)}`;
  return `${what} (operation ${formatId('o', id)}, asked for by ${asked_by}${why}). What you had been given and not finished comes again.`;
}

/** What it is told when the hive started again. */
export const STARTED_TEXT =
  'The hive was started again, and you with it. What you had been given and not finished comes again.';
