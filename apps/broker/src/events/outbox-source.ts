import type { Db } from '#libs/store';

import type { ChangeLog } from '../outbox/change-log.service.js';
import type { OutboxRepository } from '../outbox/outbox.repository.js';
import type { RelayedOutbox } from './event-relay.js';

/** The broker's outbox as the relay uses it. */
export function outboxOf(db: Db, rows: OutboxRepository, changes: ChangeLog): RelayedOutbox {
  const newest = db
    .prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'")
    .pluck();
  return {
    after: (id, limit) => rows.after(id, limit),
    newest: () => newest.get() ?? 0,
    removeThrough: (id) => changes.removeThrough(id),
  };
}
