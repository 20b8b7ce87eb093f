import { Inject, Injectable } from '@nestjs/common';

import type { RpcPeer } from '#libs/ipc';
import { isoTime, LIMITS } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { GatewayLinks } from '../links/gateway-links.js';
import { Presence } from '../links/presence.js';
import { OpenWindows } from '../restarts/open-windows.js';

const TURN_TERM_MS = LIMITS.lease_seconds * 1000;
const BARE_TERM_MS = LIMITS.bare_lease_seconds * 1000;

/** One hand-out to a bare client's session. */
export interface BareLease {
  agent: number;
  session: string;
  message: number;
  /** Its number: a later hand-out of the delivery has a lease of its own. */
  handOut: number;
}

/**
 * How long each lease still lasts: monotonic, in memory. While no gateway is connected no time runs, and after a start,
 * a lost connection, a late sweep or a clock jump every lease it concerns has its full term again (P14).
 */
@Injectable()
export class LeaseTimes {
  private readonly turns = new Map<number, { turn: number; until: number }>();
  private readonly bare = new Map<string, BareLease & { until: number }>();

  constructor(
    private readonly links: GatewayLinks,
    private readonly presence: Presence,
    private readonly windows: OpenWindows,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    links.whenConnected(() => {
      if (links.size === 1) this.fullTerms();
    });
    links.whenLost((peer) => this.lost(peer));
  }

  /** A turn of the agent is live, or its harness gave a sign of life. */
  renew(agent: number, turn: number): void {
    this.turns.set(agent, { turn, until: this.clock.monotonic() + TURN_TERM_MS });
  }

  drop(agent: number): void {
    this.turns.delete(agent);
  }

  /** When the agent's turn loses its lease if nothing more is heard, as it stands on the wire. */
  leaseUntil(agent: number): string {
    const lease = this.turns.get(agent);
    const left = lease ? Math.max(0, lease.until - this.clock.monotonic()) : 0;
    return isoTime(this.clock.now() + left);
  }

  /** A bare client was handed a message. */
  addBare(lease: BareLease): void {
    this.bare.set(keyOf(lease.agent, lease.message), {
      ...lease,
      until: this.clock.monotonic() + BARE_TERM_MS,
    });
  }

  hasBare(agent: number, message: number): boolean {
    return this.bare.has(keyOf(agent, message));
  }

  /** The delivery is leased no more. */
  dropBare(agent: number, message: number): void {
    this.bare.delete(keyOf(agent, message));
  }

  /** Agents whose live turn's lease is over. */
  overdueTurns(): { agent: number; turn: number }[] {
    if (this.links.size === 0) return [];
    const now = this.clock.monotonic();
    return [...this.turns]
      .filter(([agent, lease]) => lease.until <= now && !this.windows.has(agent))
      .map(([agent, { turn }]) => ({ agent, turn }));
  }

  isOverdue(agent: number, turn: number): boolean {
    const lease = this.turns.get(agent);
    if (lease?.turn !== turn || this.links.size === 0 || this.windows.has(agent)) return false;
    return lease.until <= this.clock.monotonic();
  }

  /** Bare leases of which the time is over. */
  overdueBare(): BareLease[] {
    if (this.links.size === 0) return [];
    const now = this.clock.monotonic();
    return [...this.bare.values()].filter((lease) => lease.until <= now);
  }

  /** The lease of this agent's turn has its full term from now. */
  fullTermOf(agent: number): void {
    const lease = this.turns.get(agent);
    if (lease) lease.until = this.clock.monotonic() + TURN_TERM_MS;
  }

  /** Every lease has its full term from now. */
  fullTerms(): void {
    const now = this.clock.monotonic();
    for (const lease of this.turns.values()) lease.until = now + TURN_TERM_MS;
    for (const lease of this.bare.values()) lease.until = now + BARE_TERM_MS;
  }

  private lost(peer: RpcPeer): void {
    const now = this.clock.monotonic();
    for (const [agent, lease] of this.turns) {
      if (this.presence.carrier(agent) === peer) lease.until = now + TURN_TERM_MS;
    }
    for (const lease of this.bare.values()) lease.until = now + BARE_TERM_MS;
  }
}

function keyOf(agent: number, message: number): string {
  return `${agent}:${message}`;
}
