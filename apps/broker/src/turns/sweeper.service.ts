import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';

import { LIMITS } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { CLOCK, LOGGER } from '../broker.options.js';
import { DeliveriesRepository } from '../deliveries/deliveries.repository.js';
import { Deliveries } from '../deliveries/deliveries.service.js';
import { IdempotencyRepository } from '../messages/idempotency.repository.js';
import { RequestLog } from '../requests/request-log.service.js';
import { Writer } from '../storage/writer.service.js';
import { LeaseTimes, type BareLease } from './lease-times.js';
import { LiveTurns } from './live-turns.js';
import { TurnEnds } from './turn-ends.service.js';

/** How often leases are looked at, in milliseconds. */
const SWEEP_EVERY_MS = 1000;
/** A sweep this late, or a wall clock that moved this much by itself, gives every lease a full term (P14). */
const LATE_MS = LIMITS.late_sweep_seconds * 1000;
/** Old request ids and keys are removed this often, in sweeps. */
const FORGET_EVERY = 60;

/** Ends leases whose time is over, and returns what is leased to nobody (P7, P14). */
@Injectable()
export class Sweeper implements OnModuleInit, OnApplicationShutdown {
  private last: { wall: number; steady: number };
  private count = 0;
  private readonly looks: (() => void)[] = [];
  private stopTimer: () => void = () => {};

  constructor(
    private readonly writer: Writer,
    private readonly turns: LiveTurns,
    private readonly ends: TurnEnds,
    private readonly leases: LeaseTimes,
    private readonly rows: DeliveriesRepository,
    private readonly deliveries: Deliveries,
    private readonly requests: RequestLog,
    private readonly keys: IdempotencyRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.last = { wall: clock.now(), steady: clock.monotonic() };
    writer.onRollback(() => this.loadLeases());
  }

  /** A start: every live lease has a full term, and what no live lease covers goes back. */
  onModuleInit(): void {
    this.loadLeases();
    this.run(() => this.returnOrphans());
    this.plan();
  }

  onApplicationShutdown(): void {
    this.stopTimer();
  }

  /** Runs `look` with each sweep, once a second: it must be cheap when nothing is due. */
  onTick(look: () => void): void {
    this.looks.push(look);
  }

  /** One sweep, as the maintenance queue asks for it. */
  async sweep(): Promise<{ expired: number; returned: number }> {
    const overdue = this.overdue();
    return this.writer.submit(() => ({
      expired: this.expire(overdue),
      returned: this.returnOrphans(),
    }));
  }

  /** Leases in the rows of which the time is not known have a full term. */
  private loadLeases(): void {
    for (const turn of this.turns.all()) this.leases.renew(turn.agent, turn.id);
    for (const { recipient, message, session, hand_outs } of this.rows.leased()) {
      if (session !== null && !this.leases.hasBare(recipient, message))
        this.leases.addBare({ agent: recipient, message, session, handOut: hand_outs });
    }
  }

  private plan(): void {
    this.stopTimer = this.clock.after(SWEEP_EVERY_MS, () => {
      this.plan();
      this.tick();
    });
  }

  private tick(): void {
    for (const look of this.looks) look();
    const overdue = this.overdue();
    if (overdue.turns.length > 0 || overdue.bare.length > 0) this.run(() => this.expire(overdue));
    this.count += 1;
    if (this.count % FORGET_EVERY === 0) this.run(() => this.requests.sweep() + this.keys.sweep());
  }

  private run(work: () => number): void {
    this.writer.submit(work).catch((error: unknown) => {
      this.logger.error({ err: error }, 'a sweep failed; the next one tries again');
    });
  }

  /** Judges the time since the last sweep first: time in which nothing could be heard does not count. */
  private overdue(): { turns: { agent: number; turn: number }[]; bare: BareLease[] } {
    const now = { wall: this.clock.now(), steady: this.clock.monotonic() };
    const steady = now.steady - this.last.steady;
    const jump = Math.abs(now.wall - this.last.wall - steady);
    if (steady > SWEEP_EVERY_MS + LATE_MS || jump > LATE_MS) this.leases.fullTerms();
    this.last = now;
    return { turns: this.leases.overdueTurns(), bare: this.leases.overdueBare() };
  }

  private expire({ turns, bare }: ReturnType<Sweeper['overdue']>): number {
    let expired = 0;
    for (const { agent, turn: id } of turns) {
      const turn = this.turns.of(agent);
      if (turn?.id !== id || !this.leases.isOverdue(agent, id)) continue;
      this.ends.lose(turn, `harness lost: no heartbeat for ${LIMITS.lease_seconds} seconds`);
      expired += 1;
    }
    for (const lease of bare) {
      const row = this.rows.find(lease.message, lease.agent);
      const isIts =
        row?.state === 'leased' && row.session === lease.session && row.hand_outs === lease.handOut;
      if (!isIts) {
        this.leases.dropBare(lease.agent, lease.message);
        continue;
      }
      this.deliveries.giveBack(row);
      expired += 1;
    }
    return expired;
  }

  /** What is leased to a turn that is not live. */
  private returnOrphans(): number {
    const orphans = this.rows
      .leased()
      .filter((row) => row.session === null && this.turns.of(row.recipient)?.id !== row.turn);
    for (const row of orphans) this.deliveries.giveBack(row);
    return orphans.length;
  }
}
