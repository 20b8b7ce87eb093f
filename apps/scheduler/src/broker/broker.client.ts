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

  private readonly connected: (() => void)[] = [];
  private readonly jobsWaiting: (() => void)[] = [];

  constructor(env: SchedulerEnv, @Inject(LOGGER) logger: Logger) {
    this.client = new RpcClient<BrokerSchedulerApi>({
      path: socketPath(env.HIVE_RUNTIME_DIR, 'broker', 'scheduler'),
      callbacks: {
        jobs_waiting: () => {
          for (const listener of this.jobsWaiting) listener();
          return {};
        },
      },
      onConnect: () => {
        logger.info('connected to the broker');
        // Its calls go out once the connection is in place.
        setImmediate(() => {
          for (const listener of this.connected) listener();
        });
      },
      onDisconnect: () => logger.warn('the broker is away; maintenance waits'),
      onBug: (error, method) => logger.error({ err: error }, `a callback failed: ${method}`),
    });
    this.client.start();
  }

  /** Calls `listener` after each connect. */
  onConnected(listener: () => void): void {
    this.connected.push(listener);
  }

  /** Calls `listener` when the broker says that jobs wait for Redis. */
  onJobsWaiting(listener: () => void): void {
    this.jobsWaiting.push(listener);
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
