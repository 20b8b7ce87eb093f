import { Inject, Injectable } from '@nestjs/common';

import type { TurnState, WaitReason } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { DeliveriesRepository } from '../deliveries/deliveries.repository.js';
import type { DeliveryRecord } from '../deliveries/delivery.js';
import { Picker, type Pick } from '../deliveries/picker.service.js';
import { PRIORITY_RANK } from '../messages/message.js';
import type { Agent } from '../registry/agent.js';
import { OpenWindows } from '../restarts/open-windows.js';
import { BACK_OFF_MOST_MS } from './back-off.js';
import { GrantLimiter } from './grant-limiter.js';
import { LiveTurns } from './live-turns.js';
import { RunFences } from './run-fences.js';

/** Whether an agent may be woken now: with what, or why not. */
export type WakeAnswer =
  | {
      /** `spread`: it takes its turn in the rate of broadcasts. */
      wake: Pick & { deliveries: [DeliveryRecord]; spread: boolean };
    }
  | {
      wake?: undefined;
      waits: WaitReason;
      /** Milliseconds after which time alone may have changed the answer. */
      lookAgainMs?: number;
    };

/** `parked_until` of an agent that waits for the operator, not for a time. */
export const UNTIL_RELEASED = Number.MAX_SAFE_INTEGER;

/** Why a parked agent waits, by the state that its last turn left. */
const PARKED_FOR: Partial<Record<TurnState, WaitReason>> = {
  rate_limited: 'rate_limited',
  needs_login: 'needs_login',
  held: 'budget',
};

/** Decides from the rows whether an agent may be woken (P15, P16). Timers are hints that ask again. */
@Injectable()
export class WakeRules {
  constructor(
    private readonly turns: LiveTurns,
    private readonly fences: RunFences,
    private readonly rows: DeliveriesRepository,
    private readonly picker: Picker,
    private readonly limiter: GrantLimiter,
    private readonly windows: OpenWindows,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  look(agent: Agent): WakeAnswer {
    const blocked = this.blocked(agent);
    if (blocked) return blocked;
    const pick = this.picker.forWake(agent);
    const [first] = pick?.deliveries ?? [];
    const now = this.clock.now();
    if (!pick || !first) {
      const due = this.rows.nextDue(agent.id, now);
      if (due === undefined) return { waits: 'low_priority' };
      return { waits: 'back_off', lookAgainMs: due - now };
    }
    const quietMs = this.quietMs(agent, first, now);
    if (quietMs > 0) return { waits: 'quiet_window', lookAgainMs: quietMs };
    const spread = this.isSpread(agent, first, now);
    if (spread && this.limiter.freeForBroadcasts < 1) return { waits: 'broadcast_rate' };
    if (this.limiter.free < 1) return { waits: 'hive_limit' };
    return { wake: { ...pick, deliveries: [first], spread } };
  }

  /** Whether a turn that `first` starts has to wait for the rate of broadcasts: nothing else waits that would start it. */
  private isSpread(agent: Agent, first: DeliveryRecord, now: number): boolean {
    if (first.broadcast === 0 || first.priority === PRIORITY_RANK.urgent) return false;
    return !this.rows.hasDirect(agent.id, now);
  }

  /** Why the agent cannot be woken whatever waits. */
  blocked(agent: Agent): Exclude<WakeAnswer, { wake: object }> | undefined {
    if (this.windows.has(agent.id)) return { waits: 'restarting' };
    if (agent.state !== 'running')
      return { waits: agent.state === 'parked' ? 'parked' : 'stopped' };
    if (this.turns.of(agent.id) || this.fences.has(agent.id)) return { waits: 'busy' };
    const parkedMs = this.parkedMs(agent);
    return parkedMs > 0
      ? { waits: PARKED_FOR[agent.turn_state] ?? 'parked', lookAgainMs: finite(parkedMs) }
      : undefined;
  }

  /** Milliseconds that the agent stays parked, 0 when it is not. */
  parkedMs(agent: Agent): number {
    if (agent.parked_until === UNTIL_RELEASED) return Infinity;
    const left = agent.parked_until - this.clock.now();
    // Further off than any back-off: the wall clock jumped back since.
    return left > BACK_OFF_MOST_MS ? 0 : Math.max(0, left);
  }

  /** Milliseconds that the quiet window still delays a turn that `first` would start (P16). */
  private quietMs(agent: Agent, first: DeliveryRecord, now: number): number {
    if (first.priority === PRIORITY_RANK.urgent || first.eager === 1) return 0;
    if (first.hand_outs > 0 || first.message <= agent.wake_through) return 0;
    const waited = now - first.since;
    if (waited < 0 || waited >= agent.quiet_window_ms) return 0;
    return this.rows.hasEager(agent.id, now) ? 0 : agent.quiet_window_ms - waited;
  }
}

function finite(ms: number): number | undefined {
  return Number.isFinite(ms) ? ms : undefined;
}
