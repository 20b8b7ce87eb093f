import { createHash, randomBytes } from 'node:crypto';

import { Inject, Injectable } from '@nestjs/common';

import { isoTime } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../settings/tokens.js';

/** How long a ticket waits to be used, in milliseconds. */
const TICKET_MS = 30_000;
/** Tickets that wait at most; the oldest goes first. */
const MOST_TICKETS = 1000;

interface Ticket {
  until: number;
  sessionTag: string | undefined;
}

/** One-time tickets for the WebSocket, which cannot carry the page's second secret (P30). Only hashes are kept. */
@Injectable()
export class TicketOffice {
  private readonly tickets = new Map<string, Ticket>();

  constructor(@Inject(CLOCK) private readonly clock: Clock) {}

  issue(sessionTag: string | undefined): { ticket: string; expires_at: string } {
    const now = this.clock.monotonic();
    for (const [hash, { until }] of this.tickets) {
      if (until > now && this.tickets.size < MOST_TICKETS) break;
      this.tickets.delete(hash);
    }
    const ticket = randomBytes(32).toString('base64url');
    this.tickets.set(hashOf(ticket), { until: now + TICKET_MS, sessionTag });
    return { ticket, expires_at: isoTime(this.clock.now() + TICKET_MS) };
  }

  /** What the ticket stands for, once; undefined when it is unknown, used or too old. */
  redeem(ticket: string): Omit<Ticket, 'until'> | undefined {
    const hash = hashOf(ticket);
    const known = this.tickets.get(hash);
    this.tickets.delete(hash);
    if (!known || known.until <= this.clock.monotonic()) return undefined;
    return { sessionTag: known.sessionTag };
  }
}

function hashOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64url');
}
