import type { Db, Migration } from '#libs/store';

export const REMINDER_FAILURES: Migration = {
  version: 3,
  name: 'failures of reminders',
  // Idempotent for a database whose reminders have the columns (PRODUCT 3.5).
  run: addReminderFailures,
};

function addReminderFailures(db: Db): void {
  const columns = new Set(
    db.prepare<[], string>(`SELECT name FROM pragma_table_info('reminders')`).pluck().all(),
  );
  const missing = {
    attempt_count: 'INTEGER NOT NULL DEFAULT 0',
    last_error: 'TEXT',
    last_attempt_at: 'INTEGER',
  };
  for (const [name, type] of Object.entries(missing))
    if (!columns.has(name)) db.exec(`ALTER TABLE reminders ADD COLUMN ${name} ${type}`);
}
