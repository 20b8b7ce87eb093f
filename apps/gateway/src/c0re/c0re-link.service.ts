import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

import { HttpSocketClient } from '#libs/ipc';
import { HiveError } from '#libs/protocol';

import { GatewayOptions } from '../gateway.options.js';

/** Pause before c0re is asked again while it is away, in milliseconds. */
const PAUSE_MS = 200;
/** Longest that one request may take: a submitted commit is copied and checked before it is answered. */
const ANSWER_MS = 90_000;

export interface C0reCall {
  method: 'GET' | 'POST';
  path: string;
  body?: object;
  /** The manager's token: c0re checks it itself (P29). */
  token: string;
  signal: AbortSignal;
  /** Called once, when c0re is first found missing and the call goes on waiting for it. */
  onMissing: () => void;
}

/** The manager's requests to c0re. Each carries an id, so that one that was perhaps carried out may be sent again. */
@Injectable()
export class C0reLink implements OnApplicationShutdown {
  private readonly client: HttpSocketClient;

  constructor(private readonly options: GatewayOptions) {
    this.client = new HttpSocketClient(options.c0reSocket);
  }

  onApplicationShutdown(): void {
    this.client.close();
  }

  /** c0re's answer; waits for a c0re that is away as long as a tool call waits for the broker. */
  async call<T>({ method, path, body, token, signal, onMissing }: C0reCall): Promise<T> {
    const { clock, toolPatienceMs } = this.options;
    const deadline = clock.monotonic() + toolPatienceMs;
    let isMissing = false;
    for (;;) {
      try {
        return await this.client.call<T>({
          method,
          path,
          headers: { authorization: `Bearer ${token}` },
          timeoutMs: ANSWER_MS,
          ...(body === undefined ? {} : { body }),
        });
      } catch (error) {
        if (signal.aborted) throw new HiveError('cancelled', 'the call was cancelled');
        const isAway = error instanceof HiveError && error.code === 'unavailable';
        if (!isAway) throw error;
        if (clock.monotonic() >= deadline) {
          throw new HiveError(
            'unavailable',
            `c0re has been away for ${toolPatienceMs / 1000} s; it may have done this or not: repeat the identical call, it is done once`,
          );
        }
        if (!isMissing) onMissing();
        isMissing = true;
        await this.pause(signal);
      }
    }
  }

  private pause(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        takeBack();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const takeBack = this.options.clock.after(PAUSE_MS, done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
