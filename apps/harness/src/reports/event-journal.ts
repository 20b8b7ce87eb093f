import path from 'node:path';

import { HiveError, LIMITS, type ErrorCode, type TurnEvent } from '#libs/protocol';

import type { HiveClient } from '../gateway/hive-client.js';
import type { Retries } from '../gateway/retries.js';
import { reasonOf, type Log } from '../logging/log.js';
import { fs } from '../platform/builtins.js';
import type { Clock } from '../time/clock.js';
import { fitEvent, type NewEvent } from './event-text.js';

/** Events of this many milliseconds go out together. */
const GATHER_MS = 100;
/** Bytes of events in one request: below the gateway's limit of 256 KiB, above one event's 64 KiB. */
const BATCH_BYTES = 192 * 1024;
/** A turn that is unknown or over stays so: every other refusal drops the turn's events. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'outcome_unknown',
  'internal',
  'rate_limited',
  'too_many_waiting_calls',
  'unauthorized',
]);

export interface JournalOptions {
  folder: string;
  instance: number;
  client: Pick<HiveClient, 'events'>;
  retries: Retries;
  clock: Clock;
  log: Log;
  /** Aborts when the harness stops: nothing is sent any more, all stays on disk. */
  signal: AbortSignal;
}

/**
 * The live events of turns: written to a file per turn first, sent from there in order, and removed when the hive has
 * them all. What could not be sent is sent by the next harness; the hive tells repeated ones by their number.
 */
export class EventJournal {
  constructor(private readonly options: JournalOptions) {
    fs.mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  }

  open(turnId: string): TurnEvents {
    return new TurnEvents(turnId, this.options);
  }

  /** Sends what former instances could not; returns when it is sent, refused or given up. */
  async sendLeftovers(): Promise<void> {
    for (const name of fs.readdirSync(this.options.folder)) {
      if (name.endsWith('.jsonl')) {
        await new TurnEvents(name.slice(0, -'.jsonl'.length), this.options).finish();
      }
    }
  }
}

/** The events of one turn. */
export class TurnEvents {
  private readonly file: string;
  private nextN = 0;
  private gathered: string[] = [];
  private timer: NodeJS.Timeout | undefined;
  /** Bytes of the file that the hive has. */
  private sentBytes = 0;
  private sending: Promise<void> | undefined;
  private isRefused = false;
  /** A failed write may have left half a line at the end of the file. */
  private mayBeTorn = false;

  constructor(
    private readonly turnId: string,
    private readonly options: JournalOptions,
  ) {
    this.file = path.join(options.folder, `${turnId}.jsonl`);
  }

  emit(event: NewEvent): void {
    const at = new Date(this.options.clock.now()).toISOString();
    this.gathered.push(JSON.stringify(fitEvent({ n: this.nextN++, at, ...event })));
    this.timer ??= setTimeout(() => {
      this.write();
      void this.send();
    }, GATHER_MS);
  }

  /** Sends the rest, and removes the file when the hive has (or refused) everything. Never rejects. */
  async finish(): Promise<void> {
    this.write();
    await this.send();
    if (this.isRefused || this.nextBatch().bytes === 0) fs.rmSync(this.file, { force: true });
  }

  private write(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.gathered.length === 0) return;
    const lines = `${this.mayBeTorn ? '\n' : ''}${this.gathered.join('\n')}\n`;
    this.gathered = [];
    try {
      fs.appendFileSync(this.file, lines, { mode: 0o600 });
      this.mayBeTorn = false;
    } catch (error) {
      // A full disk must not fail the turn: the terminal loses lines, no message is lost.
      this.mayBeTorn = true;
      this.options.log.error('live events cannot be written', { reason: reasonOf(error) });
    }
  }

  /** One sender at a time; returns after a run that began when the caller's events were on disk. */
  private async send(): Promise<void> {
    while (this.sending) await this.sending;
    this.sending = this.sendAll()
      .catch((error: unknown) => {
        this.options.log.error('live events cannot be sent', { reason: reasonOf(error) });
      })
      .finally(() => {
        this.sending = undefined;
      });
    await this.sending;
  }

  private async sendAll(): Promise<void> {
    const { client, retries, signal, instance, log } = this.options;
    for (;;) {
      if (this.isRefused || signal.aborted) return;
      const { events, bytes } = this.nextBatch();
      if (bytes === 0) return;
      try {
        // Nothing but torn lines is nothing to send.
        if (events.length > 0)
          await retries.untilAnswered(
            'sending live events',
            () => client.events(this.turnId, { instance, events }, signal),
            signal,
            PASSING,
          );
        this.sentBytes += bytes;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof HiveError)) throw error;
        this.isRefused = true;
        const { code, message } = error;
        log.warn('the hive refused live events', { turn_id: this.turnId, code, reason: message });
      }
    }
  }

  /** The whole lines that follow what was sent. What a crash cut off after the last newline, or a
   * full disk in the middle, is no event. */
  private nextBatch(): { events: TurnEvent[]; bytes: number } {
    const buffer = Buffer.allocUnsafe(BATCH_BYTES);
    let length = 0;
    try {
      const fd = fs.openSync(this.file, 'r');
      try {
        length = fs.readSync(fd, buffer, 0, BATCH_BYTES, this.sentBytes);
      } finally {
        fs.closeSync(fd);
      }
    } catch {
      return { events: [], bytes: 0 };
    }
    const events: TurnEvent[] = [];
    let bytes = 0;
    while (events.length < LIMITS.turn_events_per_batch) {
      const end = buffer.subarray(0, length).indexOf(10, bytes);
      if (end === -1) break;
      const event = parseEvent(buffer.toString('utf8', bytes, end));
      if (event) events.push(event);
      bytes = end + 1;
    }
    return { events, bytes };
  }
}

function parseEvent(line: string): TurnEvent | undefined {
  try {
    return JSON.parse(line) as TurnEvent;
  } catch {
    return undefined;
  }
}
