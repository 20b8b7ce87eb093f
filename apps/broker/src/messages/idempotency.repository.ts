import { Inject, Injectable } from '@nestjs/common';

import { LIMITS } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { ThreadsDb } from '../storage/threads.db.js';

/** What was sent with an idempotency key. */
export interface KeyedSend {
  content: string;
  message: number;
  at: number;
}

const TERM_MS = LIMITS.idempotency_seconds * 1000;

/** `idempotency_key`s of the last 24 hours, unique per sender (P11). */
@Injectable()
export class IdempotencyRepository {
  private readonly selectOne;
  private readonly put;
  private readonly deleteOld;

  constructor(
    { db }: ThreadsDb,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.selectOne = db.prepare<[number, string, number], KeyedSend>(
      'SELECT content, message, at FROM idempotency WHERE sender = ? AND key = ? AND at > ?',
    );
    this.put = db.prepare<[number, string, string, number, number]>(
      `INSERT INTO idempotency (sender, key, content, message, at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (sender, key) DO UPDATE SET content = excluded.content, message = excluded.message, at = excluded.at`,
    );
    this.deleteOld = db.prepare<[number]>(
      'DELETE FROM idempotency WHERE (sender, key) IN (SELECT sender, key FROM idempotency WHERE at <= ? LIMIT 1000)',
    );
  }

  find(sender: number, key: string): KeyedSend | undefined {
    return this.selectOne.get(sender, key, this.clock.now() - TERM_MS);
  }

  remember(sender: number, key: string, content: string, message: number): void {
    this.put.run(sender, key, content, message, this.clock.now());
  }

  /** Inside a request: removes what is past its term; returns how many. */
  sweep(): number {
    return this.deleteOld.run(this.clock.now() - TERM_MS).changes;
  }
}
