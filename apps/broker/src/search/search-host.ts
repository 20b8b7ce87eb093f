import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import { SearchLoop } from './search-loop.js';
import type { FromSearch, ToSearch } from './search-messages.js';

/** What a running index tells its owner. */
export interface SearchListener {
  message: (message: FromSearch) => void;
  /** It ended, with the error when it broke. */
  ended: (error?: unknown) => void;
}

/** A running index. */
export interface SearchHost {
  post(message: ToSearch): void;
  /** Ends it at once; `ended` is called. */
  terminate(): void;
}

const PROGRAM = fileURLToPath(new URL('./search-thread.js', import.meta.url));

/**
 * Starts the index of the broker's database in a thread that runs `program`; where that is not built (tests of the
 * sources), in this thread.
 */
export function startSearch(
  { dbDir, program = PROGRAM }: { dbDir: string; program?: string },
  listener: SearchListener,
): SearchHost {
  return existsSync(program)
    ? new ThreadHost(program, dbDir, listener)
    : new LocalHost(dbDir, listener);
}

class ThreadHost implements SearchHost {
  private readonly worker: Worker;

  constructor(program: string, dbDir: string, { message, ended }: SearchListener) {
    this.worker = new Worker(program, { workerData: { dbDir }, name: 'search' });
    let failure: unknown;
    this.worker.on('message', message);
    this.worker.on('error', (error) => (failure = error));
    this.worker.on('exit', () => ended(failure));
  }

  post(message: ToSearch): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.worker.postMessage(message);
  }

  terminate(): void {
    void this.worker.terminate();
  }
}

/** The index in this thread. It begins with the first search, since it would take time from everything else. */
class LocalHost implements SearchHost {
  private loop: SearchLoop | undefined;
  private over = false;

  constructor(
    private readonly dbDir: string,
    private readonly listener: SearchListener,
  ) {}

  post(message: ToSearch): void {
    setImmediate(() => this.handle(message));
  }

  terminate(): void {
    this.end();
  }

  private handle(message: ToSearch): void {
    if (this.over) return;
    if (message.kind === 'close') this.end();
    else if (message.kind === 'find' || this.loop) this.running()?.handle(message);
  }

  private running(): SearchLoop | undefined {
    try {
      this.loop ??= new SearchLoop(this.dbDir, this.listener.message, (error) => this.end(error));
      return this.loop;
    } catch (error) {
      this.end(error);
      return undefined;
    }
  }

  private end(error?: unknown): void {
    if (this.over) return;
    this.over = true;
    this.loop?.close();
    this.listener.ended(error);
  }
}
