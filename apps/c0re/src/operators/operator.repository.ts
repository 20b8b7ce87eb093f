import { Injectable } from '@nestjs/common';

import type { Db } from '#libs/store';

import { C0reDatabase } from '../database/c0re.database.js';

/** A session as it is stored: only hashes of what the browser holds. */
export interface OperatorSessionRow {
  cookie_hash: string;
  page_secret_hash: string;
  created_at: number;
  used_at: number;
}

/** One-time login tokens and operator sessions (P30). */
@Injectable()
export class OperatorRepository {
  private readonly db: Db;

  constructor(database: C0reDatabase) {
    this.db = database.db;
  }

  addLoginToken(hash: string, expiresAt: number): void {
    this.db
      .prepare('INSERT INTO login_tokens (hash, expires_at) VALUES (?, ?)')
      .run(hash, expiresAt);
  }

  /** Takes the token away; true when it was there and is not over: each is good once. */
  takeLoginToken(hash: string, now: number): boolean {
    return this.db
      .transaction(() => {
        this.db.prepare('DELETE FROM login_tokens WHERE expires_at <= ?').run(now);
        return this.db.prepare('DELETE FROM login_tokens WHERE hash = ?').run(hash).changes === 1;
      })
      .immediate();
  }

  addSession(session: OperatorSessionRow): void {
    this.db
      .prepare(
        'INSERT INTO operator_sessions (cookie_hash, page_secret_hash, created_at, used_at) VALUES (@cookie_hash, @page_secret_hash, @created_at, @used_at)',
      )
      .run(session);
  }

  session(cookieHash: string): OperatorSessionRow | undefined {
    return this.db
      .prepare('SELECT * FROM operator_sessions WHERE cookie_hash = ?')
      .get(cookieHash) as OperatorSessionRow | undefined;
  }

  touchSession(cookieHash: string, usedAt: number): void {
    this.db
      .prepare('UPDATE operator_sessions SET used_at = ? WHERE cookie_hash = ?')
      .run(usedAt, cookieHash);
  }

  removeSession(cookieHash: string): boolean {
    return (
      this.db.prepare('DELETE FROM operator_sessions WHERE cookie_hash = ?').run(cookieHash)
        .changes === 1
    );
  }

  removeSessionsUnusedSince(time: number): void {
    this.db.prepare('DELETE FROM operator_sessions WHERE used_at <= ?').run(time);
  }
}
