import { setImmediate as nextLoop } from 'node:timers/promises';

import { SearchIndex } from './search-index.js';
import type { FromSearch, Search, ToSearch } from './search-messages.js';

/** A search waits at most this long until the index has what was committed before it, in milliseconds. */
const CATCH_UP_MS = 1000;
/** Least rest between two steps, in milliseconds; a step that took longer is followed by a rest as long as itself. */
const LEAST_REST_MS = 5;

/** Runs a SearchIndex by messages: follows what is committed with rests between, and answers searches. */
export class SearchLoop {
  private readonly index: SearchIndex;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  /** `broken` is called once, when the index cannot go on; it is closed then. */
  constructor(
    dbDir: string,
    private readonly tell: (message: FromSearch) => void,
    private readonly broken: (error: unknown) => void,
  ) {
    this.index = new SearchIndex(dbDir);
    this.look(0);
  }

  handle(message: ToSearch): void {
    if (this.closed) return;
    if (message.kind === 'look') this.look(0);
    else if (message.kind === 'find') void this.answer(message.call, message.search);
    else this.close();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.timer);
    this.index.close();
  }

  private look(afterMs: number): void {
    if (this.timer || this.closed) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      const started = performance.now();
      if (this.step()) this.look(Math.max(LEAST_REST_MS, performance.now() - started));
    }, afterMs);
  }

  /** Whether there may be more to do. */
  private step(): boolean {
    if (this.closed) return false;
    try {
      const { more, forgot } = this.index.step();
      if (forgot !== undefined) this.tell({ kind: 'forgot', through: forgot });
      return more;
    } catch (error) {
      this.end(error);
      return false;
    }
  }

  private async answer(call: number, search: Search): Promise<void> {
    try {
      const wanted = this.index.newest();
      const until = performance.now() + CATCH_UP_MS;
      while (!this.closed && !this.index.has(wanted) && performance.now() < until) {
        this.step();
        await nextLoop();
      }
      if (this.closed) return;
      this.tell({ kind: 'found', call, ids: this.index.find(search) });
      this.look(0);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.tell({ kind: 'failed', call, reason });
      this.end(error);
    }
  }

  private end(error: unknown): void {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.timer);
    this.index.discard(error);
    this.broken(error);
  }
}
