import type { AddressInfo } from 'node:net';

import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

import { LIMITS } from '#libs/protocol';
import { NestLog, type RunningService } from '#libs/service';

import { guardDoor } from './access/access.hook.js';
import { AccessService } from './access/access.service.js';
import { SECURITY_HEADERS } from './access/security-headers.js';
import { DashboardModule } from './dashboard.module.js';
import { EventAdmission } from './events/admission.js';
import { EventsWsAdapter } from './events/events.ws-adapter.js';
import { servePage } from './page/serve-page.js';
import { ErrorFilter } from './requests/error.filter.js';
import { readJsonOnly } from './requests/json-only.js';
import { asRefusal, sendRefusal } from './requests/refusal.js';
import { ValidationPipe } from './requests/validation.pipe.js';
import type { Settings } from './settings/settings.module.js';
import { serveQueueBoard } from './tools/queue-board.js';
import { serveOpenApi } from './tools/serve-openapi.js';

export interface DashboardServer extends RunningService {
  /** The port that it listens on. */
  port: number;
}

/** Builds the dashboard and listens. Ready without its peers: what they are needed for waits or is refused. */
export async function startDashboard(settings: Settings): Promise<DashboardServer> {
  const { env, logger } = settings;
  const app = await NestFactory.create<NestFastifyApplication>(
    DashboardModule.with(settings),
    httpAdapter(),
    { logger: new NestLog(logger), abortOnError: false, bodyParser: false },
  );
  const http = app.getHttpAdapter().getInstance();
  const access = app.get(AccessService);
  readJsonOnly(http);

  await app.register(helmet, SECURITY_HEADERS);
  await app.register(cookie);
  guardDoor(http, access, logger);
  app.useGlobalFilters(new ErrorFilter(logger));
  app.useGlobalPipes(new ValidationPipe());
  app.useWebSocketAdapter(new EventsWsAdapter(app, app.get(EventAdmission)));
  serveOpenApi(app, env.HIVE_REV);
  const closeQueues = serveQueueBoard(http, env.HIVE_REDIS_URL, (error) =>
    logger.debug({ reason: error.message }, "the queues' connection to Redis failed"),
  );
  servePage(http, env.HIVE_WEB_DIR);

  await app.listen(env.HIVE_DASHBOARD_PORT, env.HIVE_DASHBOARD_HOST);
  const { port } = http.server.address() as AddressInfo;
  access.listensOn(port);
  return {
    port,
    stop: async () => {
      await app.close();
      await closeQueues();
    },
  };
}

function httpAdapter(): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: LIMITS.request_bytes,
    // A stop ends idle keep-alive connections instead of waiting for them.
    forceCloseConnections: 'idle',
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      void sendRefusal(reply, asRefusal(error, request.method, ''));
    },
  });
}
