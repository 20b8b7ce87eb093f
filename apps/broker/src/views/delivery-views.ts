import { Inject, Injectable } from '@nestjs/common';

import {
  isoTime,
  LIMITS,
  OPERATOR,
  type Delivery,
  type MessageRow,
  type WaitReason,
} from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { DeliveriesRepository } from '../deliveries/deliveries.repository.js';
import type { DeliveryRecord } from '../deliveries/delivery.js';
import { Presence } from '../links/presence.js';
import { PRIORITY_RANK } from '../messages/message.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import { OPERATOR_ID } from '../registry/agent.js';
import { WakeRules } from '../turns/wake-rules.service.js';

/** The life of a delivery as its sender and the operator see it (PRODUCT 1.12). */
@Injectable()
export class DeliveryViews {
  constructor(
    private readonly directory: AgentDirectory,
    private readonly rules: WakeRules,
    private readonly presence: Presence,
    private readonly rows: DeliveriesRepository,
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

  /** Those of a message that its row shows, with counts where that is not all of them. */
  ofMessage(message: number): Pick<MessageRow, 'deliveries' | 'delivery_counts'> {
    const shown = this.rows.shown(message, LIMITS.deliveries_shown + 1);
    const deliveries = shown.slice(0, LIMITS.deliveries_shown).map((row) => this.of(row));
    if (shown.length === deliveries.length) return { deliveries };
    return { deliveries, delivery_counts: this.rows.counts(message) };
  }

  /** Name of a recipient; the incarnation may be destroyed. */
  nameOf(recipient: number): string {
    if (recipient === OPERATOR_ID) return OPERATOR;
    return this.directory.byId(recipient)?.name ?? `agent ${recipient}`;
  }

  /** Why a queued delivery is not yet in a turn: what would have to change first. */
  private waitsFor(delivery: DeliveryRecord): WaitReason {
    const agent = this.directory.byId(delivery.recipient);
    if (delivery.recipient === OPERATOR_ID || agent?.driver === 'external') return 'unread';
    if (!agent) return 'stopped';
    const blocked = this.rules.blocked(agent);
    if (blocked && blocked.waits !== 'busy') return blocked.waits;
    if (delivery.held === 1) return 'held_cancelled';
    if (delivery.not_before > this.clock.now()) return 'back_off';
    if (blocked) return blocked.waits;
    if (this.presence.seenAt(agent.id) === null) return 'no_harness';
    if (delivery.priority === PRIORITY_RANK.low) return 'low_priority';
    const answer = this.rules.look(agent);
    return answer.wake ? 'ready' : answer.waits;
  }
}
