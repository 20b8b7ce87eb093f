import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';

import { formatSeq, type EventSeq } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { DashboardEnv } from '../settings/dashboard.env.js';
import { CLOCK, LOGGER } from '../settings/tokens.js';
import { EMPTY, EventLog } from './event-log.js';
import { Follower, type FrameSink } from './follower.js';

/** Pause after Redis answered with an error, in milliseconds. */
const AFTER_ERROR_MS = 1000;
/** How long `/api/state` waits for Redis before it takes the last known place, in milliseconds. */
const END_PATIENCE_MS = 1000;

/** The one reader of the event stream; every client follows what it reads. */
@Injectable()
export class EventFanOut implements OnModuleInit, OnApplicationShutdown {
  readonly log: EventLog;
  private readonly followers = new Set<Follower>();
  private place: EventSeq | undefined;
  private isStopped = false;
  private isTroubled = false;

  constructor(
    env: DashboardEnv,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.log = new EventLog(env.HIVE_REDIS_URL, (error) => this.trouble(error));
  }

  onModuleInit(): void {
    void this.run();
  }

  onApplicationShutdown(): void {
    this.isStopped = true;
    for (const follower of this.followers) follower.close();
    this.log.close();
  }

  /**
   * Where the stream ends, for a snapshot that is read afterwards (P38). With Redis away it is the newest place that
   * was seen: events after it come when Redis is back, and repeated rows change nothing.
   */
  async end(): Promise<string> {
    const known = this.place ?? EMPTY;
    if (!this.log.isConnected) return formatSeq(known);
    const patience = Promise.withResolvers<EventSeq>();
    const cancel = this.clock.after(END_PATIENCE_MS, () => patience.resolve(known));
    try {
      return formatSeq(await Promise.race([this.log.end(), patience.promise]));
    } catch {
      return formatSeq(known);
    } finally {
      cancel();
    }
  }

  /** Sends `sink` everything after `after`, without a gap; returns how to stop that. */
  follow(after: EventSeq, sink: FrameSink): () => void {
    const follower = new Follower(this.log, sink, after);
    this.followers.add(follower);
    follower.start();
    return () => {
      follower.close();
      this.followers.delete(follower);
    };
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      try {
        this.place ??= await this.log.end();
        await this.step(this.place);
        this.isTroubled = false;
      } catch (error) {
        if (this.isStopped) return;
        this.trouble(error as Error);
        await new Promise<void>((resolve) => this.clock.after(AFTER_ERROR_MS, resolve));
      }
    }
  }

  private async step(place: EventSeq): Promise<void> {
    const events = await this.log.wait(place);
    for (const event of events) {
      for (const follower of this.followers) follower.offer(event);
    }
    this.place = events.at(-1)?.seq ?? place;
    if (events.length > 0) return;
    // A stream that was wiped or came back from an older copy sends nothing past our place: look at its end.
    const end = await this.log.end();
    const isSame = end.epoch === place.epoch && end.n >= place.n;
    if (isSame) return;
    this.place = end;
    for (const follower of this.followers) follower.streamReplaced();
  }

  private trouble(error: Error): void {
    if (!this.isTroubled && !this.isStopped) {
      this.logger.warn({ reason: error.message }, 'the event stream cannot be read; trying again');
    }
    this.isTroubled = true;
  }
}
