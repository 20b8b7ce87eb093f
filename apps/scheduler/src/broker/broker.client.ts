import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';

import { RpcClient, socketPath } from '#libs/ipc';
import type { BrokerSchedulerApi } from '#libs/protocol';
import type { Logger } from '#libs/service';

import { SchedulerEnv } from '../settings/scheduler.env.js';
import { LOGGER } from '../settings/tokens.js';

/** How long a job waits for a broker that is being restarted; its next run comes soon anyway. */
const CONNECT_WAIT_MS = 1_000;

/** The broker as the scheduler may ask it; comes back by itself when the broker does. */
@Injectable()
export class BrokerClient implements OnApplicationShutdown {
  private readonly client: RpcClient<BrokerSchedulerApi>;

  constructor(env: SchedulerEnv, @Inject(LOGGER) logger: Logger) {
    this.client = new RpcClient<BrokerSchedulerApi>({
      path: socketPath(env.HIVE_RUNTIME_DIR, 'broker', 'scheduler'),
      onConnect: () => logger.info('connected to the broker'),
      onDisconnect: () => logger.warn('the broker is away; maintenance waits'),
      onBug: (error, method) => logger.error({ err: error }, `a callback failed: ${method}`),
    });
    this.client.start();
  }

  /** See RpcClient.call: `unavailable` when the broker is not there, `cancelled` when `signal` aborts. */
  call<K extends keyof BrokerSchedulerApi>(
    method: K,
    params: BrokerSchedulerApi[K][0],
    signal: AbortSignal,
  ): Promise<BrokerSchedulerApi[K][1]> {
    return this.client.call(method, params, { signal, connectWaitMs: CONNECT_WAIT_MS });
  }

  onApplicationShutdown(): void {
    this.client.close();
  }
}
