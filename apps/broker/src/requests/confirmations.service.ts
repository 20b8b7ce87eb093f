import { Injectable } from '@nestjs/common';

import { DeliveriesRepository } from '../deliveries/deliveries.repository.js';
import { UnconfirmedSends } from '../messages/unconfirmed-sends.js';
import { Writer } from '../storage/writer.service.js';
import { RequestLog } from './request-log.service.js';

/** `answers_written`: the gateway says which answers reached their client whole (P1, P11, P12). */
@Injectable()
export class Confirmations {
  /** Sends of which the answers arrived and the row is not written yet: one row for all of a commit. */
  private settling: { ids: string[]; stored: Promise<void> } | undefined;

  constructor(
    private readonly writer: Writer,
    private readonly requests: RequestLog,
    private readonly deliveries: DeliveriesRepository,
    private readonly unconfirmed: UnconfirmedSends,
  ) {}

  /**
   * Settles when it is on disk; rides on the next commit. It keeps its place among the calls, so a `recv` acks only what
   * was confirmed before it arrived.
   */
  async written(requestIds: readonly string[]): Promise<Record<string, never>> {
    const sends: string[] = [];
    const others: string[] = [];
    for (const id of requestIds) (this.unconfirmed.settle(id) ? sends : others).push(id);
    const stored = sends.length > 0 ? this.settle(sends) : undefined;
    if (others.length > 0 || !stored)
      await this.writer.submitLazily(() => {
        for (const id of others) this.handedOut(id);
      });
    await stored;
    return {};
  }

  /** Memory has it already and the rows serve the next start, so these need no place of their own among the calls. */
  private settle(sends: readonly string[]): Promise<void> {
    const under = this.settling;
    if (under) {
      under.ids.push(...sends);
      return under.stored;
    }
    const ids = [...sends];
    const stored = this.writer.submitLazily(() => {
      if (this.settling?.ids === ids) this.settling = undefined;
      this.requests.settleSends(ids);
    });
    this.settling = { ids, stored };
    return stored;
  }

  private handedOut(id: string): void {
    const request = this.requests.find(id);
    if (request?.method !== 'recv') return;
    for (const [message, handOut] of JSON.parse(request.answer) as [number, number][])
      this.deliveries.markWritten(message, request.caller, handOut);
  }
}
