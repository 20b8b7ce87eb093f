import { Inject, Injectable } from '@nestjs/common';

import type { AgentRow, ReminderState } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { Writer } from '../storage/writer.service.js';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;

interface OwnerCounts {
  states: Map<ReminderState, number>;
  /** Deliveries by minute since 1970, oldest first. */
  minutes: Map<number, number>;
  delivered: number;
}

/**
 * How many reminders each owner has and had, equal to the rows at every moment: the agent's row is shown often, so it
 * must cost no query. Read again after a rollback.
 */
@Injectable()
export class ReminderCounts {
  private owners = new Map<number, OwnerCounts>();
  private readonly states;
  private readonly deliveries;

  constructor(
    { db }: ThreadsDb,
    writer: Writer,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.states = db.prepare<[], { owner: number; state: ReminderState; n: number }>(
      `SELECT owner, state, count(*) AS n FROM reminders WHERE state IN ('pending', 'failed', 'paused')
       GROUP BY owner, state`,
    );
    this.deliveries = db.prepare<[number], { owner: number; minute: number; n: number }>(
      `SELECT owner, delivered_at / ${MINUTE_MS} AS minute, count(*) AS n FROM reminder_messages
       WHERE delivered_at > +? GROUP BY owner, minute ORDER BY minute`,
    );
    this.reload();
    writer.onRollback(() => this.reload());
  }

  /** What the agent's row shows: `delivered_24h` to the minute. */
  of(owner: number): AgentRow['reminders'] {
    const counts = this.owners.get(owner);
    if (!counts) return { pending: 0, delivered_24h: 0, failed: 0 };
    return {
      pending: counts.states.get('pending') ?? 0,
      delivered_24h: this.deliveredBy(counts),
      failed: counts.states.get('failed') ?? 0,
    };
  }

  /** Those that count towards the owner's limit: pending and paused ones (PRODUCT 3.3). */
  waiting(owner: number): number {
    const states = this.owners.get(owner)?.states;
    return (states?.get('pending') ?? 0) + (states?.get('paused') ?? 0);
  }

  /** A reminder left a state, or is new; and entered another. */
  move(owner: number, from: ReminderState | undefined, to: ReminderState): void {
    const { states } = this.owner(owner);
    if (from !== undefined) states.set(from, (states.get(from) ?? 0) - 1);
    states.set(to, (states.get(to) ?? 0) + 1);
  }

  /** An occurrence was delivered now. */
  delivered(owner: number): void {
    this.count(owner, Math.floor(this.clock.now() / MINUTE_MS), 1);
  }

  private deliveredBy(counts: OwnerCounts): number {
    const first = Math.floor(this.clock.now() / MINUTE_MS) - DAY_MINUTES;
    for (const [minute, n] of counts.minutes) {
      if (minute > first) break;
      counts.minutes.delete(minute);
      counts.delivered -= n;
    }
    return counts.delivered;
  }

  private reload(): void {
    this.owners = new Map();
    for (const { owner, state, n } of this.states.all()) this.owner(owner).states.set(state, n);
    const since = this.clock.now() - DAY_MINUTES * MINUTE_MS;
    for (const { owner, minute, n } of this.deliveries.all(since)) this.count(owner, minute, n);
  }

  private count(owner: number, minute: number, n: number): void {
    const counts = this.owner(owner);
    counts.minutes.set(minute, (counts.minutes.get(minute) ?? 0) + n);
    counts.delivered += n;
  }

  private owner(id: number): OwnerCounts {
    let counts = this.owners.get(id);
    if (!counts) {
      counts = { states: new Map(), minutes: new Map(), delivered: 0 };
      this.owners.set(id, counts);
    }
    return counts;
  }
}
