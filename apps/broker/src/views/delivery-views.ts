import { Inject, Injectable } from '@nestjs/common';

import { isoTime, OPERATOR, type Delivery, type WaitReason } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import type { DeliveryRecord } from '../deliveries/delivery.js';
import { Presence } from '../links/presence.js';
import { PRIORITY_RANK } from '../messages/message.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import { OPERATOR_ID } from '../registry/agent.js';
import { LiveTurns } from '../turns/live-turns.js';

/** The life of a delivery as its sender and the operator see it (PRODUCT 1.12). */
@Injectable()
export class DeliveryViews {
  constructor(
    private readonly directory: AgentDirectory,
    private readonly turns: LiveTurns,
    private readonly presence: Presence,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  of(delivery: DeliveryRecord): Delivery {
    return {
      to: this.nameOf(delivery.recipient),
      state: delivery.state,
      since: isoTime(delivery.since),
      attempt: delivery.state === 'dead' ? Math.max(1, delivery.attempts) : delivery.attempts + 1,
      hand_outs: delivery.hand_outs,
      ...(delivery.state === 'queued' ? { waits_for: this.waitsFor(delivery) } : {}),
      ...(delivery.reason === null ? {} : { reason: delivery.reason }),
    };
  }

  /** Name of a recipient; the incarnation may be destroyed. */
  nameOf(recipient: number): string {
    if (recipient === OPERATOR_ID) return OPERATOR;
    return this.directory.byId(recipient)?.name ?? `agent ${recipient}`;
  }

  /** Why a queued delivery is not yet in a turn: what would have to change first. */
  private waitsFor(delivery: DeliveryRecord): WaitReason {
    if (delivery.recipient === OPERATOR_ID) return 'unread';
    const agent = this.directory.byId(delivery.recipient);
    const now = this.clock.now();
    if (!agent) return 'stopped';
    if (agent.state === 'parked' || agent.parked_until > now) return 'parked';
    if (agent.driver === 'external') return 'unread';
    if (agent.state !== 'running' && agent.state !== 'starting') return 'stopped';
    if (delivery.held === 1) return 'held_cancelled';
    if (delivery.not_before > now) return 'back_off';
    if (this.turns.of(agent.id)) return 'busy';
    if (this.presence.seenAt(agent.id) === null) return 'no_harness';
    if (delivery.priority === PRIORITY_RANK.low) return 'low_priority';
    if (delivery.eager === 0 && delivery.since + agent.quiet_window_ms > now) return 'quiet_window';
    return 'ready';
  }
}
