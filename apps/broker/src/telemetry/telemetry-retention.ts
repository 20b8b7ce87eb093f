import type { Clock, Logger } from '#libs/service';

import type { RetentionTerms } from '../retention/retention.terms.js';
import type { TurnEventsRepository } from './turn-events.repository.js';
import type { TurnRowsRepository } from './turn-rows.repository.js';

const DAY_MS = 86_400_000;
/** Rows that one sweep deletes of each table: a few milliseconds of the thread. */
const SWEEP_ROWS = 1000;
const SWEEP_EVERY_MS = 600_000;
/** Pause before the next sweep while there is more to delete. */
const BACKLOG_PAUSE_MS = 250;

export interface RetentionOptions {
  turns: TurnRowsRepository;
  events: TurnEventsRepository;
  /** Its `turnDays` and `eventDays` (PRODUCT 6.5). */
  terms: RetentionTerms;
  clock: Clock;
  logger: Logger;
}

/** Deletes live events and turn rows that are past their time, a bounded number at once. */
export class TelemetryRetention {
  private cancel: () => void = () => {};

  constructor(private readonly options: RetentionOptions) {}

  /** Sweeps now and every ten minutes until `stop`. */
  start(): void {
    this.cancel = this.options.clock.after(0, () => this.run());
  }

  stop(): void {
    this.cancel();
  }

  /** One bounded sweep; how much it deleted. */
  sweep(): { events: number; turns: number } {
    const { turns, events, terms, clock } = this.options;
    const now = clock.now();
    return {
      events: events.deleteBefore(now - terms.eventDays * DAY_MS, SWEEP_ROWS),
      turns: turns.deleteBefore(now - terms.turnDays * DAY_MS, SWEEP_ROWS),
    };
  }

  private run(): void {
    let pause = SWEEP_EVERY_MS;
    try {
      const deleted = this.sweep();
      if (deleted.events + deleted.turns > 0) {
        pause = BACKLOG_PAUSE_MS;
        this.options.logger.info({ deleted }, 'deleted telemetry past its time');
      }
    } catch (error) {
      this.options.logger.error({ err: error }, 'the telemetry sweep failed; it runs again later');
    }
    this.cancel = this.options.clock.after(pause, () => this.run());
  }
}
