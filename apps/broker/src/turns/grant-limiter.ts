import { Inject, Injectable } from '@nestjs/common';

import { LIMITS } from '#libs/protocol';
import { TokenBucket, type Clock } from '#libs/service';

import {
  BROKER_OPTIONS,
  CLOCK,
  DEFAULT_GRANT_LIMITS,
  type BrokerOptions,
  type GrantLimits,
} from '../broker.options.js';
import { LiveTurns } from './live-turns.js';

/** The hive's one limit on starting turns, whatever causes them (P15), and that of broadcasts within it (PRODUCT 1.6). */
@Injectable()
export class GrantLimiter {
  private readonly liveTurns: number;
  private readonly turnRate: TokenBucket;
  private readonly broadcastRate: TokenBucket;

  constructor(
    private readonly turns: LiveTurns,
    @Inject(BROKER_OPTIONS) options: BrokerOptions,
    @Inject(CLOCK) clock: Clock,
  ) {
    const limits: GrantLimits = options.grantLimits ?? DEFAULT_GRANT_LIMITS;
    this.liveTurns = limits.liveTurns;
    this.turnRate = new TokenBucket(clock, limits.perSecond, limits.burst);
    this.broadcastRate = new TokenBucket(
      clock,
      limits.broadcastsPerSecond ?? LIMITS.broadcast_wakes_per_second,
      limits.broadcastBurst ?? LIMITS.broadcast_wake_burst,
    );
  }

  /** Turns that may start now. */
  get free(): number {
    return Math.min(this.turnRate.free, this.liveTurns - this.turns.size);
  }

  /** Milliseconds until the rate lets a turn start; undefined when a turn has to end first. */
  get waitMs(): number | undefined {
    return this.turns.size >= this.liveTurns ? undefined : this.turnRate.waitMs();
  }

  /** Turns that broadcasts may start now. */
  get freeForBroadcasts(): number {
    return this.broadcastRate.free;
  }

  get broadcastWaitMs(): number {
    return this.broadcastRate.waitMs();
  }

  /** A turn starts; `spread`: by a broadcast that waited for its rate. */
  take(spread: boolean): void {
    this.turnRate.take();
    if (spread) this.broadcastRate.take();
  }
}
