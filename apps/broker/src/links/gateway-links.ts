import { Inject, Injectable } from '@nestjs/common';

import type { RpcPeer } from '#libs/ipc';
import type { GatewayCallbacks } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { BROKER_OPTIONS, CLOCK, LOGGER, type BrokerOptions } from '../broker.options.js';

/** A gateway that takes longer to close a run loses its connection, and with it every call that waits behind it. */
const CLOSE_RUN_WITHIN_MS = 2000;

/** The connections of gateways: agents and harnesses are behind them. */
@Injectable()
export class GatewayLinks {
  private readonly links = new Set<RpcPeer>();
  private readonly onLost: ((peer: RpcPeer) => void)[] = [];
  private readonly onFirst: (() => void)[] = [];
  private readonly closeRunWithinMs: number;

  constructor(
    @Inject(BROKER_OPTIONS) options: BrokerOptions,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.closeRunWithinMs = options.closeRunWithinMs ?? CLOSE_RUN_WITHIN_MS;
  }

  /** Registers a connection at its first sign of life. */
  seen(peer: RpcPeer): void {
    if (this.links.has(peer) || !peer.isOpen) return;
    this.links.add(peer);
    void peer.whenClosed.then(() => this.lose(peer));
    for (const listener of this.onFirst) listener();
  }

  isOpen(peer: RpcPeer): boolean {
    return this.links.has(peer);
  }

  get size(): number {
    return this.links.size;
  }

  /** Calls `listener` when a connection is gone. */
  whenLost(listener: (peer: RpcPeer) => void): void {
    this.onLost.push(listener);
  }

  /** Calls `listener` when a connection was made. */
  whenConnected(listener: () => void): void {
    this.onFirst.push(listener);
  }

  /**
   * Has every gateway close the sessions and waiting calls of a run; settles when each said so or its connection is gone
   * (P4). One that does not answer in time is disconnected.
   */
  async closeRun(credential: string): Promise<void> {
    await Promise.all([...this.links].map((peer) => this.closeRunAt(peer, credential)));
  }

  /** Tells every gateway that agents came or went. */
  agentsChanged(): void {
    for (const peer of this.links)
      peer.call<GatewayCallbacks, 'agents_changed'>('agents_changed', {}).catch(() => {});
  }

  private async closeRunAt(peer: RpcPeer, credential: string): Promise<void> {
    const late = Promise.withResolvers<'late'>();
    const stop = this.clock.after(this.closeRunWithinMs, () => late.resolve('late'));
    try {
      const answer = peer.call<GatewayCallbacks, 'close_run'>('close_run', { credential });
      const outcome = await Promise.race([answer, late.promise, peer.whenClosed]);
      if (outcome !== 'late') return;
      this.logger.warn('a gateway did not close a revoked run in time and is disconnected');
    } catch (error) {
      // One that is being stopped takes the runs with it, and is no failure.
      if (peer.isOpen)
        this.logger.warn(
          { err: error },
          'a gateway failed to close a revoked run and is disconnected',
        );
    } finally {
      stop();
    }
    peer.close();
    this.lose(peer);
  }

  private lose(peer: RpcPeer): void {
    if (!this.links.delete(peer)) return;
    for (const listener of this.onLost) listener(peer);
  }
}
