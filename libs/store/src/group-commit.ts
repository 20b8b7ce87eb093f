import { HiveError } from '#libs/protocol';

import type { Db } from './open.js';

/**
 * Points at which a test ends the writer as a crash would: a hook that throws stops it for good. Nothing is answered
 * from then on and no later request is taken, as if the process were gone.
 */
export interface CommitFaults {
  /** The transaction is complete but not yet on disk. */
  beforeCommit?(): void;
  /** The transaction is on disk, nothing was answered. */
  afterCommit?(): void;
}

export interface GroupCommitOptions {
  db: Db;
  /** Requests in one transaction at most, not counting lazy ones: 128 holds the thread a few milliseconds (PERFORMANCE). */
  maxBatch?: number;
  /** Runs inside the transaction after its requests: hands what they stored to those who wait, without another fsync. */
  settle?: () => void;
  /** A transaction was rolled back: what was copied from its rows into memory is wrong and has to be read again. */
  onRollback?: () => void;
  /** The outcome of a COMMIT is unknown: the owner must end the process, which then goes by what is on disk. */
  onUnknownOutcome: (error: unknown) => void;
  faults?: CommitFaults;
}

interface Entry {
  work: () => unknown;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
  lazy: boolean;
  /** What `work` returned or threw, until the transaction is on disk. */
  value?: unknown;
  refused?: boolean;
}

/**
 * Collects the requests of one turn of the event loop into one durable transaction, and answers them after its commit.
 *
 * A request checks before it writes. One that throws before its first write is refused alone; one that throws after a
 * write is a bug: the transaction is rolled back and each request of the batch is run again in one of its own, so that
 * the others stand (EXECUTIONS H16).
 */
export class GroupCommit {
  private queue: Entry[] = [];
  private scheduled = false;
  private stopped = false;
  private afterwards: (() => void)[] = [];
  private readonly maxBatch: number;
  private readonly begin;
  private readonly commit;
  private readonly changes;

  constructor(private readonly options: GroupCommitOptions) {
    this.maxBatch = options.maxBatch ?? 128;
    this.begin = options.db.prepare('BEGIN IMMEDIATE');
    this.commit = options.db.prepare('COMMIT');
    this.changes = options.db.prepare('SELECT total_changes()').pluck();
  }

  /** Runs `work` in the next transaction; settles when it is on disk, never when the writer was stopped. */
  submit<T>(work: () => T): Promise<T> {
    const outcome = this.enqueue(work, false);
    this.schedule();
    return outcome;
  }

  /**
   * The same, but causes no transaction of its own: `work` keeps its place among the requests and runs with the next
   * one that is submitted, or at `flushSoon`.
   */
  submitLazily<T>(work: () => T): Promise<T> {
    return this.enqueue(work, true);
  }

  /** Carries out what was submitted lazily. */
  flushSoon(): void {
    if (this.queue.length > 0) this.schedule();
  }

  /** From inside a request: runs `effect` once the transaction is on disk, not at all when it is rolled back. */
  afterCommit(effect: () => void): void {
    this.afterwards.push(effect);
  }

  /** How many requests wait for a transaction. */
  get depth(): number {
    return this.queue.length;
  }

  /** Carries out everything that waits, and takes nothing more. */
  close(): void {
    while (this.queue.length > 0 && !this.stopped) this.flush();
    this.stopped = true;
  }

  /** Ends the writer as a crash would: nothing more is carried out or answered. */
  abandon(): void {
    this.stopped = true;
    this.queue = [];
    this.afterwards = [];
    if (this.options.db.inTransaction) this.options.db.exec('ROLLBACK');
  }

  private enqueue<T>(work: () => T, lazy: boolean): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.stopped) return;
      this.queue.push({ work, resolve: resolve as (value: unknown) => void, reject, lazy });
    });
  }

  private schedule(): void {
    if (this.scheduled || this.stopped) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      if (this.stopped) return;
      this.flush();
      if (this.queue.length > 0) this.schedule();
    });
  }

  private flush(): void {
    const batch = this.takeBatch();
    if (batch.length === 0) return;
    if (this.run(batch)) return;
    for (const entry of batch) {
      if (!this.stopped) this.run([entry]);
    }
  }

  private takeBatch(): Entry[] {
    let end = 0;
    for (let counted = 0; end < this.queue.length; end += 1) {
      if (!this.queue[end]?.lazy) counted += 1;
      if (counted > this.maxBatch) break;
    }
    return this.queue.splice(0, end);
  }

  /** False when the batch was rolled back because one request broke after writing, and has to be run singly. */
  private run(batch: Entry[]): boolean {
    this.afterwards = [];
    try {
      this.begin.run();
      for (const entry of batch) {
        const before = this.changes.get();
        try {
          entry.value = entry.work();
          entry.refused = false;
        } catch (error) {
          if (!this.options.db.inTransaction || this.changes.get() !== before) throw error;
          entry.value = error;
          entry.refused = true;
        }
      }
      this.options.settle?.();
    } catch (error) {
      this.rollBack();
      if (batch.length > 1) return false;
      for (const entry of batch) entry.reject(asRefusal(error));
      return true;
    }
    if (this.crashes('beforeCommit')) return true;
    try {
      this.commit.run();
    } catch (error) {
      this.stopped = true;
      const unknown = new HiveError(
        'outcome_unknown',
        'the disk did not confirm the write; repeat the call with the same request id',
      );
      for (const entry of batch) entry.reject(unknown);
      this.options.onUnknownOutcome(error);
      return true;
    }
    if (this.crashes('afterCommit')) return true;
    const effects = this.afterwards;
    this.afterwards = [];
    for (const { refused, value, resolve, reject } of batch) {
      if (refused) reject(value);
      else resolve(value);
    }
    for (const effect of effects) effect();
    return true;
  }

  private crashes(point: keyof CommitFaults): boolean {
    try {
      this.options.faults?.[point]?.();
      return false;
    } catch {
      this.abandon();
      return true;
    }
  }

  private rollBack(): void {
    this.afterwards = [];
    if (this.options.db.inTransaction) this.options.db.exec('ROLLBACK');
    this.options.onRollback?.();
  }
}

function asRefusal(error: unknown): unknown {
  const code = (error as { code?: string }).code ?? '';
  if (code === 'SQLITE_FULL' || code.startsWith('SQLITE_IOERR')) {
    return new HiveError(
      'unavailable',
      'the disk is full or failing; nothing was stored. Free space and repeat the call',
    );
  }
  return error;
}
