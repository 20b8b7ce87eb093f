import type { Migration } from '#libs/store';

import { MESSAGES } from './migrations/v1-messages.js';
import { PROMISES } from './migrations/v2-promises.js';
import { REMINDER_FAILURES } from './migrations/v3-reminder-failures.js';
import { RETENTION } from './migrations/v4-retention.js';
import { TURN_REMINDERS } from './migrations/v5-turn-reminders.js';
import { LEAN_REMINDERS } from './migrations/v6-lean-reminders.js';

/**
 * Schema of threads.db. Hot tables are lean: what a send writes is appended, and secondary indexes are partial, so that
 * they hold only what is unfinished (PERFORMANCE "Cheap and expensive").
 *
 * Times are milliseconds since 1970. Recipient and sender 0 is the operator; other numbers are agents' incarnations.
 *
 * Each version is a file of its own, and none is changed once it was released.
 */
export const THREADS_MIGRATIONS: readonly Migration[] = [
  MESSAGES,
  PROMISES,
  REMINDER_FAILURES,
  RETENTION,
  TURN_REMINDERS,
  LEAN_REMINDERS,
];
