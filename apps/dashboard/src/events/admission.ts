import type { IncomingMessage } from 'node:http';

import { Injectable } from '@nestjs/common';

import { HiveError, parseSeq, type EventSeq } from '#libs/protocol';

import { AccessService } from '../access/access.service.js';
import { bearerOf } from '../access/credential.js';
import { TicketOffice } from './ticket-office.js';

/** What an admitted upgrade asked for. */
export interface Admission {
  after: EventSeq;
  sessionTag: string | undefined;
}

const admitted = new WeakMap<IncomingMessage, Admission>();

/** What this upgrade was admitted with. */
export function admissionOf(request: IncomingMessage): Admission | undefined {
  return admitted.get(request);
}

/** Decides on each WebSocket upgrade before it is answered. */
@Injectable()
export class EventAdmission {
  constructor(
    private readonly access: AccessService,
    private readonly tickets: TicketOffice,
  ) {}

  /** Throws a HiveError unless Host and Origin are ours, `after` is a place and the ticket or bearer is good. */
  async admit(request: IncomingMessage): Promise<void> {
    this.access.hosts.check(request);
    const query = new URL(request.url ?? '/', 'http://dashboard').searchParams;
    const after = parseSeq(query.get('after') ?? '');
    if (!after) {
      throw new HiveError(
        'invalid_request',
        '"after" must be the seq of /api/state or of the last event, like 1767225600000-12',
      );
    }
    admitted.set(request, { after, sessionTag: await this.sessionOf(request, query) });
  }

  private async sessionOf(
    request: IncomingMessage,
    query: URLSearchParams,
  ): Promise<string | undefined> {
    const ticket = query.get('ticket');
    if (ticket !== null) {
      const redeemed = this.tickets.redeem(ticket);
      if (redeemed) return redeemed.sessionTag;
      throw new HiveError(
        'operator_required',
        'this ticket is unknown, used or older than 30 seconds; get one from POST /api/ws-tickets',
      );
    }
    // The cookie opens no socket: a page of another port would bring it along (P30).
    await this.access.require('api', bearerOf(request.headers));
    return undefined;
  }
}
