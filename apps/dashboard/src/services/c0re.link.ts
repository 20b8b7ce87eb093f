import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';

import { HttpSocketClient, socketPath, type HttpSocketCall } from '#libs/ipc';
import type { Clock } from '#libs/service';

import { DashboardEnv } from '../settings/dashboard.env.js';
import { CLOCK } from '../settings/tokens.js';
import { repeatWhileAway } from './repeat-while-away.js';

/** How long a read waits for a c0re that is being restarted, in milliseconds. */
const C0RE_PATIENCE_MS = 5000;
/** Longest wait for an operation that the caller asked to see ended (`?wait=1`), in milliseconds. */
const OPERATION_WAIT_MS = 120_000;

/** Headers that carry the operator's credential of one request to c0re, which checks it itself (P30). */
export type CredentialHeaders = Record<string, string>;

/** The dashboard's requests to c0re. It holds no credential of its own: each call carries that of the request. */
@Injectable()
export class C0reLink implements OnApplicationShutdown {
  private readonly client: HttpSocketClient;

  constructor(
    env: DashboardEnv,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.client = new HttpSocketClient(socketPath(env.HIVE_RUNTIME_DIR, 'c0re', 'dashboard'));
  }

  onApplicationShutdown(): void {
    this.client.close();
  }

  /** A request that may be sent again: reads and checks. Waits up to 5 seconds for a c0re that is away. */
  ask<T>(path: string, headers: CredentialHeaders, method: 'GET' | 'POST' = 'GET'): Promise<T> {
    return repeatWhileAway(this.clock, C0RE_PATIENCE_MS, () =>
      this.client.call<T>({ method, path, headers, ...(method === 'POST' ? { body: {} } : {}) }),
    );
  }

  /** A request that changes something: sent once. */
  order<T>(path: string, headers: CredentialHeaders, body: unknown = {}): Promise<T> {
    const call: HttpSocketCall = { method: 'POST', path, headers, body };
    return this.client.call<T>({ ...call, timeoutMs: OPERATION_WAIT_MS });
  }

  /** Whether c0re answers now. */
  async isThere(): Promise<boolean> {
    try {
      await this.client.call({ method: 'GET', path: '/v1/health', timeoutMs: 1000 });
      return true;
    } catch {
      return false;
    }
  }
}
