import { Module, type DynamicModule } from '@nestjs/common';

import { BROKER_OPTIONS, CLOCK, clockOf, LOGGER, type BrokerOptions } from './broker.options.js';
import { ChangeLog } from './outbox/change-log.service.js';
import { OutboxRepository } from './outbox/outbox.repository.js';
import { AgentDirectory } from './registry/agent-directory.service.js';
import { RegistryRepository } from './registry/registry.repository.js';
import { ThreadsDb } from './storage/threads.db.js';
import { Writer } from './storage/writer.service.js';

/** The write side: threads.db and everything that changes it. */
const WRITE_SIDE = [
  ThreadsDb,
  Writer,
  OutboxRepository,
  ChangeLog,
  RegistryRepository,
  AgentDirectory,
];

/** The broker. One instance per database folder; its options say whether it listens on sockets and relays to Redis. */
@Module({})
export class BrokerModule {
  static with(options: BrokerOptions): DynamicModule {
    const settings = [
      { provide: BROKER_OPTIONS, useValue: options },
      { provide: CLOCK, useValue: clockOf(options) },
      { provide: LOGGER, useValue: options.logger },
    ];
    return {
      module: BrokerModule,
      global: true,
      providers: [...settings, ...WRITE_SIDE],
      exports: [...settings, ...WRITE_SIDE],
    };
  }
}
