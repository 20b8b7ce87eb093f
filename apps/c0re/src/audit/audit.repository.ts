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

/** The append-only audit log (PRODUCT 8.7); the database itself refuses to change or delete a row. */
@Injectable()
export class AuditRepository {
  private readonly db: Db;

  constructor(
    database: C0reDatabase,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.db = database.db;
  }

  append(entry: AuditEntry): void {
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
}
