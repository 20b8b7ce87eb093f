import { Injectable } from '@nestjs/common';

import type { ManagerEvent } from '#libs/protocol';
import type { Db } from '#libs/store';

import { C0reDatabase } from '../database/c0re.database.js';

/** One thing that the manager has still to be told. */
export interface News {
  id: number;
  event: ManagerEvent;
  body: string;
}

/** What the manager is told of (PRODUCT 4.10): written with the fact, removed when the broker has it. */
@Injectable()
export class ManagerNews {
  private readonly db: Db;
  private listener = () => {};

  constructor(database: C0reDatabase) {
    this.db = database.db;
  }

  /** Calls the listener after each addition. */
  onAdded(listener: () => void): void {
    this.listener = listener;
  }

  /**
   * Tells the manager, with the next commit when inside a transaction. `body`: words of the hive; all foreign text in it
   * is quoted (P33) and short.
   */
  add(event: ManagerEvent, body: string): void {
    this.db.prepare('INSERT INTO manager_news (event, body) VALUES (?, ?)').run(event, body);
    this.listener();
  }

  /** Oldest first. */
  untold(limit: number): News[] {
    return this.db
      .prepare('SELECT id, event, body FROM manager_news ORDER BY id LIMIT ?')
      .all(limit) as News[];
  }

  told(id: number): void {
    this.db.prepare('DELETE FROM manager_news WHERE id = ?').run(id);
  }
}
