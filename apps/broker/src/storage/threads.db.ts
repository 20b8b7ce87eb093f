import path from 'node:path';

import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';

import { migrate, openDatabase, takeWriterLock, type Db, type WriterLock } from '#libs/store';

import { BROKER_OPTIONS, type BrokerOptions } from '../broker.options.js';
import { THREADS_MIGRATIONS } from './threads.migrations.js';

/**
 * threads.db: the truth about messages, deliveries and turns. Held by one process (PRODUCT 8.5); throws a
 * StoreInUseError when another one has it.
 */
@Injectable()
export class ThreadsDb implements OnApplicationShutdown {
  /** The only connection that writes; nobody but the Writer's requests may use it for that. */
  readonly db: Db;
  private readonly lock: WriterLock;
  private readonly path: string;
  private readOnly: Db | undefined;

  constructor(@Inject(BROKER_OPTIONS) options: BrokerOptions) {
    this.path = path.join(options.dbDir, 'threads.db');
    this.lock = takeWriterLock(this.path, 'the broker');
    try {
      this.db = openDatabase({ path: this.path, synchronous: 'FULL' });
      migrate(this.db, THREADS_MIGRATIONS);
    } catch (error) {
      this.lock.release();
      throw error;
    }
  }

  /** A connection of its own for reads that must not see half of a transaction. */
  get reader(): Db {
    this.readOnly ??= openDatabase({ path: this.path, synchronous: 'FULL', readonly: true });
    return this.readOnly;
  }

  onApplicationShutdown(): void {
    this.close();
  }

  /** Closes the files; what was not committed is gone. */
  close(): void {
    if (!this.db.open) return;
    this.readOnly?.close();
    this.db.close();
    this.lock.release();
  }
}
