import { Injectable } from '@nestjs/common';

import { RpcClient } from '#libs/ipc';
import { HiveError, type BrokerGatewayApi, type GatewayCallbacks } from '#libs/protocol';

import { GatewayOptions } from '../gateway.options.js';

type Method = keyof BrokerGatewayApi;

export interface LinkCall<K extends Method> {
  method: K;
  /** Made anew for each attempt, so that a repeated `recv` waits only what is left of its time. */
  params: () => BrokerGatewayApi[K][0];
  /** How long the call is repeated after the broker was first found missing, in milliseconds. */
  patienceMs: number;
  signal?: AbortSignal;
  /** Called once, when the broker is first found missing and the call goes on waiting for it. */
  onMissing?: () => void;
}

/** Pause before the next attempt when the broker answers that it is not available, in milliseconds. */
const REPEAT_PAUSE_MS = 100;

/**
 * The one connection to the broker. A call that a lost connection cut is repeated with the same parameters, its request
 * id among them, until it is answered or its patience is over (P11): so a restart of the broker is only a pause.
 */
@Injectable()
export class BrokerLink {
  private readonly client: RpcClient<BrokerGatewayApi>;
  private readonly connectedHandlers: (() => void)[] = [];
  private closeRun: (credential: string) => Promise<number> = () => Promise.resolve(0);
  private readonly agentsChangedHandlers: (() => void)[] = [];
  /** Connections so far: tells whether an attempt can have reached the broker. */
  private connections = 0;
  private stopping = false;

  constructor(private readonly options: GatewayOptions) {
    const { logger } = options;
    const callbacks: {
      [K in keyof GatewayCallbacks]: (
        params: GatewayCallbacks[K][0],
      ) => Promise<GatewayCallbacks[K][1]> | GatewayCallbacks[K][1];
    } = {
      close_run: async ({ credential }) => ({ closed_sessions: await this.closeRun(credential) }),
      agents_changed: () => {
        this.agentsChangedHandlers.forEach((handler) => handler());
        return {};
      },
    };
    this.client = new RpcClient<BrokerGatewayApi>({
      path: options.brokerSocket,
      callbacks,
      onConnect: () => {
        this.connections += 1;
        logger.info('connected to the broker');
        // The connection takes calls only after this function returned.
        setImmediate(() => this.connectedHandlers.forEach((handler) => handler()));
      },
      onDisconnect: () => {
        if (!this.stopping) logger.warn('lost the broker; connecting again');
      },
      onBug: (error, method) =>
        logger.error({ err: error, method }, 'a callback of the broker failed'),
    });
  }

  start(): void {
    this.client.start();
  }

  close(): void {
    this.stopping = true;
    this.client.close();
  }

  get isConnected(): boolean {
    return this.client.isConnected;
  }

  /** `handler` runs after each (re)connect. */
  onConnected(handler: () => void): void {
    this.connectedHandlers.push(handler);
  }

  /** `handler` closes what the run holds and resolves, when it is closed, with the number of sessions. */
  onCloseRun(handler: (credential: string) => Promise<number>): void {
    this.closeRun = handler;
  }

  /** `handler` runs when agents came, went or changed. */
  onAgentsChanged(handler: () => void): void {
    this.agentsChangedHandlers.push(handler);
  }

  /**
   * The broker's answer. Rejects with the HiveError that it answered; `cancelled` when `signal` aborts; when patience
   * is over `unavailable` if the broker cannot have seen the call, else `outcome_unknown`.
   */
  async call<K extends Method>({
    method,
    params,
    patienceMs,
    signal,
    onMissing,
  }: LinkCall<K>): Promise<BrokerGatewayApi[K][1]> {
    const { clock } = this.options;
    let missingSince = this.client.isConnected ? undefined : clock.monotonic();
    if (missingSince !== undefined) onMissing?.();
    let maySeen = false;
    for (;;) {
      const openBefore = this.client.isConnected;
      const connectionsBefore = this.connections;
      const left = patienceMs - (clock.monotonic() - (missingSince ?? clock.monotonic()));
      try {
        return await this.client.call(method, params(), {
          signal,
          connectWaitMs: Math.max(0, left),
        });
      } catch (error) {
        if (signal?.aborted) throw cancelled();
        if (!isWorthRepeating(error)) throw error;
        const cameBack = this.connections > connectionsBefore;
        maySeen ||= openBefore || cameBack;
        // An outage that is over does not use up the patience for the next one.
        if (cameBack) missingSince = undefined;
        if (missingSince === undefined) {
          missingSince = clock.monotonic();
          onMissing?.();
        }
        if (this.stopping || clock.monotonic() - missingSince >= patienceMs) {
          throw maySeen ? outcomeUnknown(patienceMs) : brokerMissing(patienceMs);
        }
        await this.pause(signal);
      }
    }
  }

  private pause(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        takeBack();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const takeBack = this.options.clock.after(REPEAT_PAUSE_MS, done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }
}

/** A lost connection, a broker that is stopping, and a commit whose outcome it does not know (P11). */
function isWorthRepeating(error: unknown): boolean {
  return (
    error instanceof HiveError && (error.code === 'unavailable' || error.code === 'outcome_unknown')
  );
}

function cancelled(): HiveError {
  return new HiveError('cancelled', 'the call was cancelled');
}

function brokerMissing(patienceMs: number): HiveError {
  return new HiveError(
    'unavailable',
    `the hive's broker has been away for ${patienceMs / 1000} s; nothing was done; try again in a minute`,
  );
}

function outcomeUnknown(patienceMs: number): HiveError {
  return new HiveError(
    'outcome_unknown',
    `outcome unknown: the hive's broker went away while it worked on this call and was not back within ${patienceMs / 1000} s; it may have been done. Repeating the identical call within 10 minutes is safe: a message that was sent already is not sent twice`,
  );
}
