import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';

import { HiveError } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { BROKER_OPTIONS, CLOCK, LOGGER, type BrokerOptions } from '../broker.options.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import { ForgottenRepository } from '../retention/forgotten.repository.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { Writer } from '../storage/writer.service.js';
import { startSearch, type SearchHost } from './search-host.js';
import type { FromSearch, Search } from './search-messages.js';

/** The index is told of new messages this often at most, in milliseconds; a search does not wait for it. */
const LOOK_MS = 250;
/** Pause before a broken index is started again, doubled up to the second while it keeps breaking, in milliseconds. */
const RESTART_MS = 1000;
const RESTART_MOST_MS = 60_000;
/** A search that takes longer is given up, and the index started again, in milliseconds. */
const SEARCH_MS = 10_000;
/** How long closing waits for the index, in milliseconds. */
const CLOSE_MS = 2000;
/** Searches that may wait at once. */
const WAITING = 200;

interface Waiting {
  resolve: (ids: number[]) => void;
  reject: (error: HiveError) => void;
  cancelAlarm: () => void;
}

/** The broker's side of the full-text index: keeps it running, tells it what was committed, asks it. */
@Injectable()
export class SearchEngine implements OnModuleInit, BeforeApplicationShutdown {
  private readonly paths: { dbDir: string; program?: string };
  private readonly waiting = new Map<number, Waiting>();
  private host: SearchHost | undefined;
  private calls = 0;
  private breaks = 0;
  private lookPlanned = false;
  private closing = false;
  private cancelRestart = (): void => {};
  private onEnded = (): void => {};

  /** `_threads` only so that threads.db has its schema before the index reads it. */
  constructor(
    @Inject(BROKER_OPTIONS) options: BrokerOptions,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly changes: ChangeLog,
    private readonly writer: Writer,
    private readonly forgotten: ForgottenRepository,
    _threads: ThreadsDb,
  ) {
    this.paths = { dbDir: options.dbDir, program: options.searchProgram };
  }

  onModuleInit(): void {
    this.changes.onCommitted(({ changes }) => {
      if (changes.sent) this.lookSoon();
    });
    this.start();
  }

  /** Message ids, newest first. Throws `unavailable` while there is no index. */
  find(search: Search): Promise<number[]> {
    const { host } = this;
    if (!host || this.closing) return Promise.reject(unavailable());
    if (this.waiting.size >= WAITING) {
      const error = new HiveError(
        'unavailable',
        `${WAITING} searches wait already; try again in a few seconds`,
      );
      return Promise.reject(error);
    }
    const call = ++this.calls;
    return new Promise((resolve, reject) => {
      const cancelAlarm = this.clock.after(SEARCH_MS, () => {
        this.logger.error({ search }, 'a search took too long; the index is started again');
        this.restart();
      });
      this.waiting.set(call, { resolve, reject, cancelAlarm });
      host.post({ kind: 'find', call, search });
    });
  }

  /** Tells the index that there is something for it, soon. */
  lookSoon(): void {
    if (this.lookPlanned) return;
    this.lookPlanned = true;
    this.clock.after(LOOK_MS, () => {
      this.lookPlanned = false;
      this.host?.post({ kind: 'look' });
    });
  }

  /** Ends the index at once, whatever it does; it is started again after a pause. */
  restart(): void {
    this.host?.terminate();
  }

  /** Ends it at once, as a crash of the broker would; for tests. */
  abandon(): void {
    this.closing = true;
    this.host?.terminate();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.closing = true;
    this.cancelRestart();
    const { host } = this;
    if (!host) return;
    const ended = new Promise<void>((resolve) => (this.onEnded = resolve));
    host.post({ kind: 'close' });
    // The real time: closing must end whatever the clock of a test does.
    const timer = setTimeout(() => host.terminate(), CLOSE_MS);
    await ended;
    clearTimeout(timer);
  }

  private start(): void {
    this.host = startSearch(this.paths, {
      message: (message) => this.hear(message),
      ended: (error) => this.ended(error),
    });
  }

  private hear(message: FromSearch): void {
    if (message.kind === 'forgot') {
      this.forget(message.through);
      return;
    }
    const waiting = this.take(message.call);
    if (message.kind === 'found') {
      this.breaks = 0;
      waiting?.resolve(message.ids);
    } else {
      this.logger.error({ reason: message.reason }, 'a search failed');
      waiting?.reject(unavailable());
    }
  }

  private forget(through: number): void {
    if (this.closing) return;
    this.writer
      .submitLazily(() => this.forgotten.removeThrough(through))
      .catch((error: unknown) => {
        this.logger.error({ err: error }, 'what the index forgot stays in its list');
      });
  }

  private ended(error: unknown): void {
    this.host = undefined;
    for (const call of this.waiting.keys()) this.take(call)?.reject(unavailable());
    this.onEnded();
    if (this.closing) return;
    const pause = Math.min(RESTART_MOST_MS, RESTART_MS * 2 ** this.breaks);
    this.breaks += 1;
    this.logger.error({ err: error, pause }, 'the search index ended and is started again');
    this.cancelRestart = this.clock.after(pause, () => this.start());
  }

  private take(call: number): Waiting | undefined {
    const waiting = this.waiting.get(call);
    this.waiting.delete(call);
    waiting?.cancelAlarm();
    return waiting;
  }
}

function unavailable(): HiveError {
  return new HiveError(
    'unavailable',
    'the search is being started again; try again in a few seconds. Messages are not affected',
  );
}
