import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import type { Redis } from 'ioredis';

import type { Clock, Logger } from '#libs/service';

import { BROKER_OPTIONS, CLOCK, LOGGER, type BrokerOptions } from '../broker.options.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import { OutboxRepository } from '../outbox/outbox.repository.js';
import { TelemetryJournal } from '../telemetry/telemetry.journal.js';
import { RowVersion } from '../views/row-version.js';
import { EventHydrator } from './event-hydrator.js';
import { EventRelay } from './event-relay.js';
import { EventStream } from './event-stream.js';
import { RelayMemory } from './relay-memory.js';
import { connectWriter } from './writer-connection.js';

/** Tells the world what changed: runs the relay from the outbox to the event stream while the broker is up. */
@Injectable()
export class EventPublisher implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly relay: EventRelay;
  private readonly redis: Redis | undefined;

  constructor(
    @Inject(BROKER_OPTIONS) options: BrokerOptions,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) logger: Logger,
    outbox: OutboxRepository,
    changes: ChangeLog,
    version: RowVersion,
    telemetry: TelemetryJournal,
    hydrator: EventHydrator,
  ) {
    const memory = new RelayMemory(telemetry.store.db);
    let sink: EventStream | undefined;
    if (options.redisUrl === undefined) {
      // What is thrown away now must not be taken for relayed when a Redis is there another time.
      memory.saveMark({ epoch: memory.mark()?.epoch ?? 0, n: null });
    } else {
      this.redis = connectWriter(options.redisUrl);
      this.redis.on('error', (error: Error) => logger.debug({ err: error }, 'Redis'));
      this.redis.on('ready', () => this.relay.retryNow());
      sink = new EventStream({ redis: this.redis, memory, clock, logger });
    }
    this.relay = new EventRelay({
      outbox: {
        after: (id, limit) => outbox.after(id, limit),
        newest: () => version.now(),
        removeThrough: (id) => changes.removeThrough(id),
      },
      turnEvents: telemetry.store.events,
      memory,
      hydrate: (set) => hydrator.events(set),
      sink,
      clock,
      logger,
    });
    changes.onCommitted(() => this.relay.wake());
    telemetry.onEvents(() => this.relay.wake());
  }

  onApplicationBootstrap(): void {
    // A failed first connection is tried again by the client.
    this.redis?.connect().catch(() => {});
    this.relay.wake();
  }

  async onModuleDestroy(): Promise<void> {
    await this.relay.stop();
    this.redis?.disconnect();
  }
}
