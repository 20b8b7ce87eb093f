import { Inject, Injectable } from '@nestjs/common';

import { LIMITS } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import { LeaseTimes } from '../turns/lease-times.js';
import { DeliveriesRepository } from './deliveries.repository.js';
import type { DeliveryRecord, GiveBack, Holder, NewDelivery } from './delivery.js';
import { InboxCounts } from './inbox-counts.js';
import { WakeList } from './wake-list.js';

/**
 * The states of a delivery and the steps between them (ARCHITECTURE "A delivery's states"). Every step is one row write
 * inside the caller's transaction, with its counts, its event and its wake.
 */
@Injectable()
export class Deliveries {
  constructor(
    private readonly rows: DeliveriesRepository,
    private readonly counts: InboxCounts,
    private readonly changes: ChangeLog,
    private readonly wakes: WakeList,
    private readonly leases: LeaseTimes,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** A new delivery, queued. */
  add(delivery: NewDelivery): void {
    this.rows.insert({ ...delivery, since: this.clock.now() });
    this.counts.add({ ...delivery, held: 0 }, 1);
    if (delivery.reason !== null) this.changes.needsYouChanged();
    this.changes.agentChanged(delivery.recipient);
    this.wakes.add(delivery.recipient);
  }

  /** The same where it may be there already. */
  addOnce(delivery: NewDelivery): void {
    if (!this.rows.find(delivery.message, delivery.recipient)) this.add(delivery);
  }

  /** A delivery that is not made, and says why in the message's state (P21). */
  skip(delivery: NewDelivery, reason: string): void {
    if (this.rows.find(delivery.message, delivery.recipient)) return;
    const now = this.clock.now();
    this.rows.insert({ ...delivery, reason, since: now });
    const row = this.rows.find(delivery.message, delivery.recipient);
    if (row) this.rows.end(row, { state: 'cancelled', attempts: 0, reason }, now);
  }

  /** queued → dead: nobody will ever read it (P25). */
  bury(delivery: DeliveryRecord, reason: string): void {
    this.counts.add(delivery, -1);
    this.rows.end(
      delivery,
      { state: 'dead', attempts: delivery.attempts, reason },
      this.clock.now(),
    );
    this.changes.needsYouChanged();
    this.changes.deliveryChanged(delivery.message);
  }

  /** queued → leased, or one more hand-out of the same lease. Returns the row as it was handed out. */
  lease(delivery: DeliveryRecord, holder: Holder, written: boolean): DeliveryRecord {
    const to = {
      turn: 'turn' in holder ? holder.turn : null,
      session: 'session' in holder ? holder.session : null,
      written: written ? 1 : 0,
    };
    const leased = this.rows.lease(delivery, to, this.clock.now());
    if ('session' in holder)
      this.leases.addBare({
        agent: delivery.recipient,
        session: holder.session,
        message: delivery.message,
        handOut: leased.hand_outs,
      });
    if (delivery.state === 'queued') {
      this.counts.add(delivery, -1);
      this.changes.agentChanged(delivery.recipient);
      this.noteLeaving(delivery);
    }
    this.changes.deliveryChanged(delivery.message);
    return leased;
  }

  /** leased → acked; also queued or dead → acked, for a result that came late (P6) and for what the operator read. */
  ack(delivery: DeliveryRecord): void {
    this.finish(delivery, 'acked', null);
  }

  /** leased → cancelled: the operator discarded it (P17). */
  cancel(delivery: DeliveryRecord, reason: string): void {
    this.finish(delivery, 'cancelled', reason);
  }

  /** leased → queued, or dead when it failed too often or was handed out without end (P13). */
  giveBack(delivery: DeliveryRecord, how: GiveBack = {}): void {
    if (delivery.session !== null) this.leases.dropBare(delivery.recipient, delivery.message);
    const attempts = delivery.attempts + (how.failed ? 1 : 0);
    const handOuts = delivery.hand_outs - delivery.forgiven;
    const dead = deathOf(attempts, handOuts, how.note);
    const now = this.clock.now();
    if (dead === undefined) {
      const held = how.held ? 1 : 0;
      this.rows.queue(delivery, { attempts, notBefore: how.notBefore ?? 0, held }, now);
      this.counts.add({ ...delivery, held }, 1);
      this.wakes.add(delivery.recipient);
      this.noteLeaving({ ...delivery, held });
    } else {
      this.changes.needsYouChanged();
      this.rows.end(delivery, { state: 'dead', attempts, reason: dead }, now);
    }
    this.changes.deliveryChanged(delivery.message);
    this.changes.agentChanged(delivery.recipient);
  }

  /** dead → queued: the operator has it tried again. It stays marked as handed out. */
  revive(delivery: DeliveryRecord): void {
    this.rows.queue(delivery, { attempts: 0, notBefore: 0, held: 0 }, this.clock.now());
    this.rows.forgive(delivery);
    this.counts.add({ ...delivery, held: 0, reason: null }, 1);
    this.noteLeaving(delivery);
    this.changes.deliveryChanged(delivery.message);
    this.changes.agentChanged(delivery.recipient);
    this.wakes.add(delivery.recipient);
  }

  /** The operator lets go what a cancelled turn held; returns how many. */
  release(recipient: number): number {
    if (this.counts.held(recipient) === 0) return 0;
    const held = this.rows.heldOf(recipient);
    for (const delivery of held) {
      this.rows.hold(delivery, false);
      this.counts.hold(recipient, -1);
      this.changes.deliveryChanged(delivery.message);
    }
    this.changes.needsYouChanged();
    this.changes.agentChanged(recipient);
    this.wakes.add(recipient);
    return held.length;
  }

  /** Queued deliveries that are `low` for this reason become normal; returns their messages. */
  raise(recipient: number, reason: string): number[] {
    const lowered = this.rows.loweredFor(recipient, reason);
    for (const delivery of lowered) {
      this.counts.add(delivery, -1);
      this.rows.reprioritise(delivery, 1);
      this.counts.add({ ...delivery, priority: 1, reason: null }, 1);
      this.changes.needsYouChanged();
      this.changes.deliveryChanged(delivery.message);
    }
    if (lowered.length > 0) this.wakes.add(recipient);
    return lowered.map((delivery) => delivery.message);
  }

  /** The operator sees deliveries that are dead, held or past the hop limit under Needs you. */
  private noteLeaving(delivery: DeliveryRecord): void {
    if (delivery.reason !== null || delivery.held === 1 || delivery.state === 'dead')
      this.changes.needsYouChanged();
  }

  private finish(
    delivery: DeliveryRecord,
    state: 'acked' | 'cancelled',
    reason: string | null,
  ): void {
    this.rows.end(delivery, { state, attempts: delivery.attempts, reason }, this.clock.now());
    this.noteLeaving(delivery);
    if (delivery.session !== null) this.leases.dropBare(delivery.recipient, delivery.message);
    if (delivery.state === 'queued') {
      this.counts.add(delivery, -1);
      this.changes.agentChanged(delivery.recipient);
    }
    this.changes.deliveryChanged(delivery.message);
  }
}

function deathOf(attempts: number, handOuts: number, note = ''): string | undefined {
  const because = note === '' ? '' : `: ${note}`;
  if (attempts >= LIMITS.delivery_attempts) return `${attempts} turns failed on it${because}`;
  if (handOuts >= LIMITS.delivery_hand_outs)
    return `handed out ${handOuts} times and no turn came to its end${because}`;
  return undefined;
}
