import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';

import type { TurnEvent } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { BROKER_OPTIONS, CLOCK, LOGGER, type BrokerOptions } from '../broker.options.js';
import { DEFAULT_RETENTION } from '../retention/retention.terms.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { TurnJournal, type EndedTurn } from '../turns/turn-journal.js';
import { TelemetryRetention } from './telemetry-retention.js';
import { TelemetryReader, TelemetryStore } from './telemetry.store.js';
import type { AgentUsage } from './turn-rows.repository.js';

const DAY_MS = 86_400_000;

/** The broker's telemetry.db: where ended turns and live events go, and the connection that others read it by. */
@Injectable()
export class TelemetryJournal extends TurnJournal implements OnModuleInit, OnApplicationShutdown {
  readonly store: TelemetryStore;
  readonly reader: TelemetryReader;
  private readonly retention: TelemetryRetention;
  private readonly listeners: (() => void)[] = [];
  /** Read again only when a turn ended or a day began: every message changes the row of an agent. */
  private readonly usages = new Map<number, { day: number; usage: AgentUsage }>();

  /** `threads` also because the single-writer lock of the folder must be held before this database is touched. */
  constructor(
    @Inject(BROKER_OPTIONS) options: BrokerOptions,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) logger: Logger,
    threads: ThreadsDb,
  ) {
    super();
    this.store = TelemetryStore.openForWriting(options.dbDir);
    const reminderOf = threads.db
      .prepare<[number], number | null>('SELECT reminder FROM turns WHERE id = ?')
      .pluck();
    this.store.completeReminders((turn) => reminderOf.get(turn) ?? null);
    this.reader = TelemetryReader.open(options.dbDir);
    this.retention = new TelemetryRetention({
      turns: this.store.turns,
      events: this.store.events,
      terms: options.retention ?? DEFAULT_RETENTION,
      clock,
      logger,
    });
  }

  onModuleInit(): void {
    this.retention.start();
  }

  record(turns: readonly EndedTurn[]): void {
    this.store.putTurns(turns);
    for (const turn of turns) this.usages.delete(turn.agent_id);
  }

  /** What the agent's own row shows of its turns; "today" is the day in UTC. */
  usage(agentId: number): AgentUsage {
    const day = Math.floor(this.clock.now() / DAY_MS);
    const known = this.usages.get(agentId);
    if (known?.day === day) return known.usage;
    const usage = this.store.turns.usage(agentId, day * DAY_MS);
    this.usages.set(agentId, { day, usage });
    return usage;
  }

  events(turn: { id: number; agent: string }, events: readonly TurnEvent[]): number {
    const stored = this.store.events.store(turn, events, this.clock.now());
    if (stored > 0) for (const listener of this.listeners) listener();
    return stored;
  }

  /** Calls `listener` after live events were stored. */
  onEvents(listener: () => void): void {
    this.listeners.push(listener);
  }

  onApplicationShutdown(): void {
    this.close();
  }

  close(): void {
    if (!this.store.db.open) return;
    this.retention.stop();
    this.reader.close();
    this.store.close();
  }
}
