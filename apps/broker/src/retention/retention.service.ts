import { Inject, Injectable } from '@nestjs/common';

import type { BrokerSchedulerApi } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { BROKER_OPTIONS, CLOCK, LOGGER, type BrokerOptions } from '../broker.options.js';
import { SearchEngine } from '../search/search-engine.service.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { Writer } from '../storage/writer.service.js';
import { MessageWalk } from './message-walk.js';
import type { RetentionWalk } from './retention-walk.js';
import { DEFAULT_RETENTION } from './retention.terms.js';
import { RestartWakeWalk, ROW_WALK_SQL, TimeWalk, TurnWalk } from './row-walks.js';

const DAY_MS = 86_400_000;
/** Rest after every walk came to its end, in milliseconds: what is old is looked through again then. */
const REST_MS = 3_600_000;

type Answer = BrokerSchedulerApi['sweep_retention'][1];

/**
 * `sweep_retention`: removes messages whose deliveries are all acked or cancelled, and what else is over, when it is
 * older than its term (PRODUCT 1.10). A call does one bounded step of every walk that is not at its end yet, in one
 * transaction.
 */
@Injectable()
export class RetentionService {
  private readonly walks: Readonly<Record<string, RetentionWalk>>;
  private readonly termMs: number;
  /** Walks that are not at their end yet. */
  private open: Set<string>;
  private restsUntil = 0;

  constructor(
    { db }: ThreadsDb,
    messages: MessageWalk,
    private readonly writer: Writer,
    private readonly search: SearchEngine,
    @Inject(BROKER_OPTIONS) options: BrokerOptions,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.termMs = (options.retention ?? DEFAULT_RETENTION).messageDays * DAY_MS;
    this.walks = {
      messages,
      questions: new TimeWalk(db, ROW_WALK_SQL.questions),
      reminders: new TimeWalk(db, ROW_WALK_SQL.reminders),
      reminderMessages: new TimeWalk(db, ROW_WALK_SQL.reminderMessages),
      // After the messages that they point to.
      restartWakes: new RestartWakeWalk(db),
      turns: new TurnWalk(db),
      runs: new TimeWalk(db, ROW_WALK_SQL.runs),
    };
    this.open = new Set(Object.keys(this.walks));
    writer.onRollback(() => {
      for (const walk of Object.values(this.walks)) walk.reset?.();
      this.open = new Set(Object.keys(this.walks));
      this.restsUntil = 0;
    });
  }

  /** Removes some; `more`: the next call at once finds more to look at. */
  async sweep(): Promise<Answer> {
    if (this.clock.monotonic() < this.restsUntil) return summary({}, false);
    const removed = await this.writer.submit(() => this.step());
    const all = Object.values(removed).reduce((sum, count) => sum + count, 0);
    if (all > 0) this.logger.info({ removed }, 'removed what was past its term');
    if ((removed['messages'] ?? 0) > 0) this.search.lookSoon();
    return summary(removed, this.clock.monotonic() >= this.restsUntil);
  }

  private step(): Record<string, number> {
    const horizon = this.clock.now() - this.termMs;
    const removed: Record<string, number> = {};
    for (const name of this.open) {
      const step = this.walks[name]?.step(horizon);
      if (step && step.removed > 0) removed[name] = step.removed;
      if (step?.done) this.open.delete(name);
    }
    if (this.open.size === 0) {
      this.open = new Set(Object.keys(this.walks));
      this.restsUntil = this.clock.monotonic() + REST_MS;
    }
    return removed;
  }
}

function summary(removed: Record<string, number>, more: boolean): Answer {
  const { messages = 0, questions = 0, reminders = 0 } = removed;
  return { messages, questions, reminders, more };
}
