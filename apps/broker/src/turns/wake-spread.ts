import { Inject, Injectable } from '@nestjs/common';

import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { GrantLimiter } from './grant-limiter.js';

/**
 * Agents that a broadcast would wake and that wait for its rate, first come first: one alarm for all of them, so that a
 * thousand do not look at once (PRODUCT 1.6). A hint only: the rows decide, and every check of all wakes asks them.
 */
@Injectable()
export class WakeSpread {
  private readonly waiting = new Set<number>();
  private planned = false;
  private look: (agent: number) => void = () => {};

  constructor(
    private readonly limiter: GrantLimiter,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Calls `look` for an agent when the rate lets it start a turn. */
  whenFree(look: (agent: number) => void): void {
    this.look = look;
  }

  add(agent: number): void {
    this.waiting.add(agent);
    this.plan();
  }

  private plan(): void {
    if (this.planned) return;
    this.planned = true;
    this.clock.after(Math.max(1, this.limiter.broadcastWaitMs), () => {
      this.planned = false;
      this.next();
    });
  }

  private next(): void {
    const free = Math.max(1, this.limiter.freeForBroadcasts);
    for (const agent of [...this.waiting].slice(0, free)) {
      this.waiting.delete(agent);
      this.look(agent);
    }
    if (this.waiting.size > 0) this.plan();
  }
}
