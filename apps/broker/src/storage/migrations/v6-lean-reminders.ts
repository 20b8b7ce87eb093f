import type { Migration } from '#libs/store';

/** Nothing looks for every reminder that ended: retention walks `reminders_over`, and each delivery paid for both. */
export const LEAN_REMINDERS: Migration = {
  version: 6,
  name: 'one index of ended reminders',
  sql: `DROP INDEX reminders_ended;`,
};
