import type { NewHiveEvent } from '#libs/protocol';

/**
 * What one transaction changed and the event stream has to learn: ids only, each once. The relay reads the rows when it
 * sends them, so a row that changed again meanwhile is sent in its newest form.
 */
export interface ChangeSet {
  /** Messages that were stored. */
  sent?: number[];
  /** Messages of which a delivery changed. */
  deliveries?: number[];
  /** Agents (incarnations) of which the row changed, unread counts included. */
  agents?: number[];
  /** Agents that were destroyed. */
  removed?: number[];
  /** Turns that started, or that ended. */
  started?: number[];
  ended?: number[];
  /** Questions that were asked, or that found their outcome. */
  questions_added?: number[];
  questions_resolved?: number[];
  /** What waits for the operator is not what it was. */
  needs_you?: true;
  /** Reminders of which the row changed. */
  reminders?: number[];
  /** Events of rows that are not the broker's (c0re's operations), as they are. */
  events?: NewHiveEvent[];
}

/** A row of the outbox. */
export interface OutboxRow {
  /** Counts up by one row per commit; the `version` of everything that is read when this is the newest. */
  id: number;
  changes: ChangeSet;
}
