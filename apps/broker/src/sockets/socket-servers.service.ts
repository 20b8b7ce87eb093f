import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';

import { RpcServer, socketPath, type RpcApi, type RpcHandlers, type RpcPeer } from '#libs/ipc';
import type { Logger } from '#libs/service';

import { BROKER_OPTIONS, LOGGER, type BrokerOptions } from '../broker.options.js';
import { SchedulerLinks } from '../jobs/scheduler-links.js';
import { GatewayLinks } from '../links/gateway-links.js';
import { C0reHandlers } from './c0re.handlers.js';
import { DashboardHandlers } from './dashboard.handlers.js';
import { GatewayHandlers } from './gateway.handlers.js';
import { SchedulerHandlers } from './scheduler.handlers.js';

/** The broker's four sockets, one per peer, each with that peer's table of requests (P29). */
@Injectable()
export class SocketServers implements OnModuleDestroy {
  private readonly servers: { listen(): Promise<void>; close(): Promise<void> }[] = [];

  constructor(
    @Inject(BROKER_OPTIONS) private readonly options: BrokerOptions,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly gateway: GatewayHandlers,
    private readonly dashboard: DashboardHandlers,
    private readonly scheduler: SchedulerHandlers,
    private readonly c0re: C0reHandlers,
    private readonly links: GatewayLinks,
    private readonly schedulers: SchedulerLinks,
  ) {}

  /** Listens for all peers; settles when every socket takes calls. */
  async listen(): Promise<void> {
    const { runtimeDir } = this.options;
    if (runtimeDir === undefined) return;
    const start = async <Api extends RpcApi<Api>>(
      peer: string,
      handlers: RpcHandlers<Api>,
      onConnect?: (connection: RpcPeer) => void,
    ): Promise<void> => {
      const server = new RpcServer<Api>({
        path: socketPath(runtimeDir, 'broker', peer),
        handlers,
        onConnect,
        onBug: (error, method) => this.logger.error({ err: error, method }, 'a request broke'),
      });
      await server.listen();
      this.servers.push(server);
    };
    await start('c0re', this.c0re.table);
    await start('dashboard', this.dashboard.table);
    await start('scheduler', this.scheduler.table, (connection) =>
      this.schedulers.connected(connection),
    );
    await start('gateway', this.gateway.table, (connection) => this.links.seen(connection));
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()));
  }
}
