import { Injectable } from '@nestjs/common';

import type { DeliveryState } from '#libs/protocol';

import { ThreadsDb } from '../storage/threads.db.js';

/** A reminder that waits for its time. */
export interface PendingReminder {
  id: number;
  owner: number;
  message: string;
  due_at: number;
  created_at: number;
}

/** A message that was not acked, with the beginning of its body. */
export interface UnackedMessage {
  id: number;
  thread: number | null;
  from_agent: number;
  from_name: string;
  recipient: number;
  state: DeliveryState;
  sent_at: number;
  body: string;
}

/** Characters of a body that are read. */
const BODY_CHARS = 200;

const REMINDER = `id, owner, substr(message, 1, ${BODY_CHARS + 1}) AS message, due_at, created_at`;
const MESSAGE = `m.id, m.thread, m.from_agent, m.from_name, d.recipient, d.state, m.sent_at,
  substr(m.body, 1, ${BODY_CHARS + 1}) AS body`;

/** What is pending, read from partial indexes that hold only what is unfinished. Oldest first, each list bounded. */
@Injectable()
export class OpenThreadRows {
  private readonly ownReminders;
  private readonly allReminders;
  private readonly queuedOfRank;
  private readonly leased;
  private readonly allQueued;
  private readonly allLeased;

  constructor({ db }: ThreadsDb) {
    this.ownReminders = db.prepare<[number, number], PendingReminder>(
      `SELECT ${REMINDER} FROM reminders INDEXED BY reminders_of_owner
       WHERE owner = +? AND state IN ('pending', 'failed', 'paused') AND state = 'pending' ORDER BY id LIMIT +?`,
    );
    this.allReminders = db.prepare<[number], PendingReminder>(
      `SELECT ${REMINDER} FROM reminders WHERE id IN (
         SELECT id FROM reminders INDEXED BY reminders_due WHERE state = 'pending' ORDER BY id LIMIT +?
       ) ORDER BY id`,
    );
    this.queuedOfRank = db.prepare<[number, number, number], UnackedMessage>(
      `SELECT ${MESSAGE} FROM deliveries AS d INDEXED BY deliveries_queued
         CROSS JOIN messages AS m ON m.id = d.message
       WHERE d.state = 'queued' AND d.recipient = +? AND d.priority = +? ORDER BY d.message LIMIT +?`,
    );
    this.leased = db.prepare<[number, number], UnackedMessage>(
      `SELECT ${MESSAGE} FROM deliveries AS d INDEXED BY deliveries_leased
         CROSS JOIN messages AS m ON m.id = d.message
       WHERE d.state = 'leased' AND d.recipient = +? ORDER BY d.message LIMIT +?`,
    );
    // The inner selects read nothing but their index, also when the whole hive waits.
    const oldestOf = (state: string) =>
      `SELECT ${MESSAGE} FROM (
         SELECT message, recipient FROM deliveries INDEXED BY deliveries_${state}
         WHERE state = '${state}' ORDER BY message LIMIT +?
       ) AS o
       CROSS JOIN deliveries AS d ON d.message = o.message AND d.recipient = o.recipient
       CROSS JOIN messages AS m ON m.id = d.message
       ORDER BY d.message`;
    this.allQueued = db.prepare<[number], UnackedMessage>(oldestOf('queued'));
    this.allLeased = db.prepare<[number], UnackedMessage>(oldestOf('leased'));
  }

  remindersOf(owner: number, limit: number): PendingReminder[] {
    return this.ownReminders.all(owner, limit);
  }

  reminders(limit: number): PendingReminder[] {
    return this.allReminders.all(limit);
  }

  /** Queued for the agent, or leased to it. */
  unackedOf(recipient: number, limit: number): UnackedMessage[] {
    return [
      ...[0, 1, 2].flatMap((priority) => this.queuedOfRank.all(recipient, priority, limit)),
      ...this.leased.all(recipient, limit),
    ];
  }

  unacked(limit: number): UnackedMessage[] {
    return [...this.allQueued.all(limit), ...this.allLeased.all(limit)];
  }
}
