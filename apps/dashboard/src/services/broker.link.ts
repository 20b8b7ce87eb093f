import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';

import { newRequestId, RpcClient, socketPath } from '#libs/ipc';
import type { BrokerDashboardApi } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { DashboardEnv } from '../settings/dashboard.env.js';
import { CLOCK, LOGGER } from '../settings/tokens.js';
import { repeatWhileAway } from './repeat-while-away.js';

/** How long a request waits for a broker that is being restarted, in milliseconds. */
const BROKER_PATIENCE_MS = 8000;

/** The dashboard's connection to the broker; survives the broker's restarts. */
@Injectable()
export class BrokerLink implements OnModuleInit, OnApplicationShutdown {
  private readonly client: RpcClient<BrokerDashboardApi>;

  constructor(
    env: DashboardEnv,
    @Inject(LOGGER) logger: Logger,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.client = new RpcClient<BrokerDashboardApi>({
      path: socketPath(env.HIVE_RUNTIME_DIR, 'broker', 'dashboard'),
      onBug: (error, method) => logger.error({ err: error }, `broker link failed in ${method}`),
    });
  }

  onModuleInit(): void {
    this.client.start();
  }

  onApplicationShutdown(): void {
    this.client.close();
  }

  get isConnected(): boolean {
    return this.client.isConnected;
  }

  /**
   * Calls the broker, again while it is away, up to 8 seconds; rejects with the HiveError that it answered. So what would
   * change something when it comes twice carries a `request_id`.
   */
  call<K extends keyof BrokerDashboardApi>(
    method: K,
    params: BrokerDashboardApi[K][0],
  ): Promise<BrokerDashboardApi[K][1]> {
    return repeatWhileAway(this.clock, BROKER_PATIENCE_MS, (leftMs) =>
      this.client.call(method, params, { connectWaitMs: leftMs }),
    );
  }

  /** Queues a command for a harness, once. */
  command(params: BrokerDashboardApi['command'][0]): Promise<{ id: string }> {
    return this.call('command', { ...params, request_id: this.requestId() });
  }

  /** An id under which the broker remembers a write over retries (P11). */
  requestId(): string {
    return newRequestId(this.clock.now());
  }
}
