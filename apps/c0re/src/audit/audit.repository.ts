import { Inject, Injectable } from '@nestjs/common';

import type { Clock } from '#libs/service';
import type { Db } from '#libs/store';

import { C0reDatabase } from '../database/c0re.database.js';
import { CLOCK } from '../settings/tokens.js';

/** One action of the operator: who did what by which way, and what came of it. Never a secret, never a body. */
export interface AuditEntry {
  who: string;
  /** The way: `admin`, or on the dashboard's socket `session`, `token` or `none` (refused). */
  via: string;
  action: string;
  target: string | null;
  /** `ok`, the operation's id, or the code of the refusal. */
  result: string;
}

/** Who is named when the caller showed no right credential. */
export const UNKNOWN = 'unknown';
/** Refusals of callers that showed no right credential: this many a minute get a row each, the rest is counted. */
const REFUSALS_PER_MINUTE = 60;
const MINUTE_MS = 60_000;

/** The append-only audit log (PRODUCT 8.7); the database itself refuses to change or delete a row. */
@Injectable()
export class AuditRepository {
  private readonly db: Db;
  private minute = { since: -MINUTE_MS, refusals: 0 };

  constructor(
    database: C0reDatabase,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.db = database.db;
  }

  append(entry: AuditEntry): void {
    if (entry.who !== UNKNOWN || this.mayStillList()) this.insert(entry);
  }

  private insert(entry: AuditEntry): void {
    this.db
      .prepare(
        'INSERT INTO audit (at, who, via, action, target, result) VALUES (@at, @who, @via, @action, @target, @result)',
      )
      .run({ ...entry, at: this.clock.now() });
  }

  /** Newest first. */
  newest(limit: number): (AuditEntry & { id: number; at: number })[] {
    return this.db
      .prepare('SELECT * FROM audit ORDER BY id DESC LIMIT ?')
      .all(limit) as (AuditEntry & {
      id: number;
      at: number;
    })[];
  }

  /** Newest first; `before` leaves out that one and newer ones. */
  page(
    limit: number,
    before = Number.MAX_SAFE_INTEGER,
  ): (AuditEntry & { id: number; at: number })[] {
    return this.db
      .prepare('SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?')
      .all(before, limit) as (AuditEntry & { id: number; at: number })[];
  }

  /** A row waits for the disk: whoever may only knock must not be able to keep c0re busy with it. */
  private mayStillList(): boolean {
    const now = this.clock.monotonic();
    if (now - this.minute.since >= MINUTE_MS) {
      const left = this.minute.refusals - REFUSALS_PER_MINUTE;
      this.minute = { since: now, refusals: 0 };
      if (left > 0) {
        const result = `${left} more`;
        this.insert({ who: UNKNOWN, via: 'none', action: 'refused', target: null, result });
      }
    }
    this.minute.refusals += 1;
    return this.minute.refusals <= REFUSALS_PER_MINUTE;
  }
}
