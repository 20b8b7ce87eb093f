import { Injectable } from '@nestjs/common';

import type { BrokerGatewayApi } from '#libs/protocol';

import { BrokerLink } from '../broker/broker-link.service.js';
import { restarting, type AuthenticatedCaller } from '../door/door.js';
import { GatewayOptions } from '../gateway.options.js';
import { WaitingCalls } from '../limits/waiting-calls.service.js';

type PollMethod = 'poll_turn' | 'heartbeat';

/** Long-polls of harnesses: counted, ended with their connection, and ended when the gateway stops. */
@Injectable()
export class LongPolls {
  private readonly open = new Set<AbortController>();
  private isStopping = false;

  constructor(
    private readonly options: GatewayOptions,
    private readonly link: BrokerLink,
    private readonly waiting: WaitingCalls,
  ) {}

  /** `params` without `wait_seconds`; that shrinks when the call is repeated over a restart of the broker. */
  async wait<K extends PollMethod>(
    caller: AuthenticatedCaller,
    connection: AbortSignal,
    method: K,
    waitSeconds: number,
    params: Omit<BrokerGatewayApi[K][0], 'credential' | 'wait_seconds'>,
  ): Promise<BrokerGatewayApi[K][1]> {
    const leave =
      waitSeconds > 0 ? this.waiting.enter('harness', caller.identity.agent_id) : () => {};
    const poll = new AbortController();
    const abort = () => poll.abort();
    connection.addEventListener('abort', abort, { once: true });
    if (connection.aborted || this.isStopping) abort();
    this.open.add(poll);
    const { clock } = this.options;
    const deadline = clock.monotonic() + waitSeconds * 1000;
    try {
      return await this.link.call({
        method,
        params: () =>
          ({
            ...params,
            credential: caller.credential,
            wait_seconds: Math.max(0, Math.ceil((deadline - clock.monotonic()) / 1000)),
          }) as BrokerGatewayApi[K][0],
        patienceMs: this.options.harnessPatienceMs,
        signal: poll.signal,
      });
    } catch (error) {
      if (this.isStopping) throw restarting();
      throw error;
    } finally {
      this.open.delete(poll);
      connection.removeEventListener('abort', abort);
      leave();
    }
  }

  /** Ends all of them; each is answered `unavailable`. */
  stop(): void {
    this.isStopping = true;
    for (const poll of this.open) poll.abort();
  }
}
