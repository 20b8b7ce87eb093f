import type { Db } from '#libs/store';

import { Violation, type Ledger } from './ledger.js';

/** Whoever is owed something gets it once: occurrences, recipients, outcomes, restart wakes (I8). */
export function checkPromises(db: Db, ledger: Ledger): void {
  checkReminders(db);
  checkOutcomes(db);
  checkRestartWakes(db);
  for (const [message, names] of ledger.fannedOut) checkFanOut(db, message, names);
}

function checkReminders(db: Db): void {
  const twice = db
    .prepare(
      `SELECT json_extract(detail, '$.reminder.id') AS reminder, json_extract(detail, '$.reminder.occurrence') AS nth
       FROM messages WHERE kind = 'reminder' GROUP BY 1, 2 HAVING count(*) > 1`,
    )
    .get() as { reminder: string; nth: number } | undefined;
  if (twice)
    throw new Violation('I8', `occurrence ${twice.nth} of ${twice.reminder} has two messages`);
  const early = db
    .prepare(
      `SELECT json_extract(detail, '$.reminder.id') AS reminder FROM messages
       WHERE kind = 'reminder' AND sent_at < unixepoch(json_extract(detail, '$.reminder.due_at'), 'subsec') * 1000 - 0.5`,
    )
    .get() as { reminder: string } | undefined;
  if (early) throw new Violation('I8', `${early.reminder} was delivered before it was due`);
}

/** One outcome for each question that was answered, expired or cancelled by the operator; none for others. */
function checkOutcomes(db: Db): void {
  const rows = db
    .prepare(
      `SELECT q.id, q.state, q.asker, q.answered_by,
         (SELECT count(*) FROM messages m WHERE m.event = 'question_answered'
            AND json_extract(m.detail, '$.question.id') = 'q' || q.id) AS outcomes
       FROM questions q`,
    )
    .all() as {
    id: number;
    state: string;
    asker: number;
    answered_by: number | null;
    outcomes: number;
  }[];
  for (const { id, state, asker, answered_by: by, outcomes } of rows) {
    const owed = state === 'open' || (state === 'cancelled' && by === asker) ? 0 : 1;
    if (outcomes !== owed)
      throw new Violation('I8', `q${id} is ${state} and has ${outcomes} outcomes, not ${owed}`);
  }
}

function checkRestartWakes(db: Db): void {
  const many = db
    .prepare(
      `SELECT d.recipient FROM deliveries d JOIN messages m ON m.id = d.message
       WHERE m.event = 'restarted' AND d.state IN ('queued', 'leased') GROUP BY 1 HAVING count(*) > 1`,
    )
    .get();
  if (many) throw new Violation('I8', 'an agent has two unread restart wakes');
}

/** A delivery for each of its recipients and nobody else, or a chunk that still has to be written. */
function checkFanOut(db: Db, message: string, names: readonly string[]): void {
  const id = Number(message.slice(1));
  const has = new Set(
    db
      .prepare(
        'SELECT a.name FROM deliveries d JOIN agents a ON a.id = d.recipient WHERE d.message = ?',
      )
      .pluck()
      .all(id) as string[],
  );
  const stray = [...has].find((name) => !names.includes(name));
  if (stray) throw new Violation('I8', `${message} has a delivery to ${stray}`);
  const open = db.prepare('SELECT 1 FROM broadcast_chunks WHERE message = ?').get(id) !== undefined;
  const missing = names.find((name) => !has.has(name));
  if (missing !== undefined && !open)
    throw new Violation('I8', `${message} has no delivery to ${missing}`);
}
