import type { AddressInfo } from 'node:net';

import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';

import { LIMITS } from '#libs/protocol';
import { NestLog } from '#libs/service';

import { BrokerLink } from './broker/broker-link.service.js';
import { Door } from './door/door.js';
import { GatewayAddress } from './gateway.address.js';
import { GatewayModule } from './gateway.module.js';
import { REQUEST_MS, type GatewayOptions } from './gateway.options.js';
import { LongPolls } from './harness-api/long-polls.service.js';
import { OpenAnswers } from './limits/open-answers.service.js';
import { Sessions } from './mcp/sessions.service.js';
import { AgentSockets } from './sockets/agent-sockets.service.js';

/** How long answers under way may take when the gateway stops, in milliseconds. */
const LAST_ANSWERS_MS = 1000;

export interface RunningGateway {
  /** The TCP port on which it listens. */
  readonly port: number;
  readonly app: NestFastifyApplication;
  /** Answers what waits, closes the sessions and the sockets; bounded by a few seconds. */
  stop(): Promise<void>;
}

/** Starts the gateway; it is up without the broker, and connects to it by itself. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const adapter = new FastifyAdapter({
    bodyLimit: LIMITS.request_bytes,
    exposeHeadRoutes: false,
    // What is still open after the last answers is ended, so that stopping has a bound.
    forceCloseConnections: true,
    requestTimeout: REQUEST_MS,
  });
  const app = await NestFactory.create<NestFastifyApplication>(
    GatewayModule.with(options),
    adapter,
    { logger: new NestLog(options.logger), abortOnError: false, bodyParser: false },
  );
  const fastify = app.getHttpAdapter().getInstance();
  fastify.removeContentTypeParser('text/plain');
  const door = app.get(Door);
  door.attach(fastify);

  const link = app.get(BrokerLink);
  const sessions = app.get(Sessions);
  const sockets = app.get(AgentSockets);
  sessions.start();
  await listen(app, options);
  const address = app.get(GatewayAddress);
  address.port = (app.getHttpServer().address() as AddressInfo).port;
  sockets.start(fastify);
  link.start();

  return {
    port: address.port,
    app,
    stop: async () => {
      door.close();
      app.get(LongPolls).stop();
      await sessions.stop();
      await app.get(OpenAnswers).finished(LAST_ANSWERS_MS);
      await sockets.stop();
      link.close();
      await app.close();
    },
  };
}

async function listen(app: NestFastifyApplication, options: GatewayOptions): Promise<void> {
  try {
    await app.listen(options.port, options.host);
  } catch (error) {
    await app.close();
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new Error(
        `port ${options.port} on ${options.host} is in use by another program; set HIVE_GATEWAY_PORT to a free one`,
        { cause: error },
      );
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EACCES') {
      throw new Error(
        `cannot listen on ${options.host} port ${options.port} (${code}); set HIVE_GATEWAY_HOST to an address of this machine and HIVE_GATEWAY_PORT to a port that you may use`,
        { cause: error },
      );
    }
    throw error;
  }
}
