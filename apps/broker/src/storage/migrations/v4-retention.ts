import type { Migration } from '#libs/store';

export const RETENTION: Migration = {
  version: 4,
  name: 'what retention finds its rows by',
  sql: `
    ALTER TABLE runs ADD COLUMN revoked_at INTEGER;
    UPDATE runs SET revoked_at = unixepoch() * 1000 WHERE revoked = 1;
    CREATE INDEX runs_revoked ON runs (revoked_at) WHERE revoked_at IS NOT NULL;
    CREATE INDEX questions_open_message ON questions (asked_message)
      WHERE state = 'open' AND asked_message IS NOT NULL;
    CREATE INDEX reminders_over ON reminders (ended_at) WHERE state IN ('delivered', 'cancelled');
  `,
};
