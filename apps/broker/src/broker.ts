import 'reflect-metadata';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { NestLog } from '#libs/service';

import { BrokerModule } from './broker.module.js';
import type { BrokerOptions } from './broker.options.js';
import { C0reHandlers } from './sockets/c0re.handlers.js';
import { DashboardHandlers } from './sockets/dashboard.handlers.js';
import { GatewayHandlers } from './sockets/gateway.handlers.js';
import { SchedulerHandlers } from './sockets/scheduler.handlers.js';
import { SocketServers } from './sockets/socket-servers.service.js';

/** A broker that runs in this process. */
export interface OpenBroker {
  /** The request tables of its sockets: the functions that a socket calls, for callers in process. */
  readonly gateway: GatewayHandlers['table'];
  readonly dashboard: DashboardHandlers['table'];
  readonly scheduler: SchedulerHandlers['table'];
  readonly c0re: C0reHandlers['table'];
  readonly app: INestApplicationContext;
  /** Carries out what waits, and closes everything. */
  close(): Promise<void>;
}

/** Starts a broker: takes the store's lock, brings its schema up to date, and listens when it was given a runtime folder. */
export async function openBroker(options: BrokerOptions): Promise<OpenBroker> {
  const app = await NestFactory.createApplicationContext(BrokerModule.with(options), {
    logger: new NestLog(options.logger),
    abortOnError: false,
  });
  try {
    await app.get(SocketServers).listen();
  } catch (error) {
    await app.close();
    throw error;
  }
  return {
    gateway: app.get(GatewayHandlers).table,
    dashboard: app.get(DashboardHandlers).table,
    scheduler: app.get(SchedulerHandlers).table,
    c0re: app.get(C0reHandlers).table,
    app,
    close: () => app.close(),
  };
}
