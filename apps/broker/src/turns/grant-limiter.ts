import { Inject, Injectable } from '@nestjs/common';

import type { Clock } from '#libs/service';

import {
  BROKER_OPTIONS,
  CLOCK,
  DEFAULT_GRANT_LIMITS,
  type BrokerOptions,
  type GrantLimits,
} from '../broker.options.js';
import { LiveTurns } from './live-turns.js';

/** The hive's one limit on starting turns, whatever causes them: how many at once, and how many a second (P15). */
@Injectable()
export class GrantLimiter {
  private readonly limits: GrantLimits;
  private tokens: number;
  private filledAt: number;

  constructor(
    private readonly turns: LiveTurns,
    @Inject(BROKER_OPTIONS) options: BrokerOptions,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.limits = options.grantLimits ?? DEFAULT_GRANT_LIMITS;
    this.tokens = this.limits.burst;
    this.filledAt = clock.monotonic();
  }

  /** Turns that may start now. */
  get free(): number {
    this.refill();
    return Math.min(Math.floor(this.tokens), this.limits.liveTurns - this.turns.size);
  }

  /** Milliseconds until the rate lets a turn start; undefined when a turn has to end first. */
  get waitMs(): number | undefined {
    if (this.turns.size >= this.limits.liveTurns) return undefined;
    this.refill();
    return Math.max(1, Math.ceil(((1 - this.tokens) * 1000) / this.limits.perSecond));
  }

  /** A turn starts. */
  take(): void {
    this.refill();
    this.tokens -= 1;
  }

  private refill(): void {
    const now = this.clock.monotonic();
    const gained = ((now - this.filledAt) / 1000) * this.limits.perSecond;
    this.tokens = Math.min(this.limits.burst, this.tokens + gained);
    this.filledAt = now;
  }
}
