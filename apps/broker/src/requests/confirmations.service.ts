import { Injectable } from '@nestjs/common';

import { DeliveriesRepository } from '../deliveries/deliveries.repository.js';
import { UnconfirmedSends } from '../messages/unconfirmed-sends.js';
import { Writer } from '../storage/writer.service.js';
import { RequestLog } from './request-log.service.js';

/** `answers_written`: the gateway says which answers reached their client whole (P1, P11, P12). */
@Injectable()
export class Confirmations {
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
    const sends = requestIds.filter((id) => this.unconfirmed.settle(id));
    const others = requestIds.filter((id) => !sends.includes(id));
    await this.writer.submitLazily(() => {
      if (sends.length > 0) this.requests.settleSends(sends);
      for (const id of others) this.handedOut(id);
    });
    return {};
  }

  private handedOut(id: string): void {
    const request = this.requests.find(id);
    if (request?.method !== 'recv') return;
    for (const [message, handOut] of JSON.parse(request.answer) as [number, number][])
      this.deliveries.markWritten(message, request.caller, handOut);
  }
}
