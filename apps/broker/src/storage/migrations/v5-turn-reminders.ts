import type { Migration } from '#libs/store';

export const TURN_REMINDERS: Migration = {
  version: 5,
  name: 'the reminder that a turn goes back to',
  sql: `
    ALTER TABLE turns ADD COLUMN reminder INTEGER;
    CREATE TEMP TABLE reminder_of AS SELECT message, reminder FROM reminder_messages;
    CREATE INDEX temp.reminder_of_message ON reminder_of (message);
    UPDATE turns SET reminder = (SELECT reminder FROM temp.reminder_of WHERE message = turns.wake)
      WHERE wake_reason = 'reminder';
    DROP TABLE temp.reminder_of;
  `,
};
