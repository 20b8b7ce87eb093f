import { Injectable } from '@nestjs/common';

import { GatewayOptions } from '../gateway.options.js';
import { BrokerLink } from './broker-link.service.js';

/**
 * Tells the broker which answers were written whole to their connection (P1, P11). Sent at once and in order, so that
 * the broker knows of an answer before it sees the call that the client makes on reading it (P12).
 */
@Injectable()
export class WrittenAnswers {
  constructor(
    private readonly link: BrokerLink,
    private readonly options: GatewayOptions,
  ) {}

  /** `requestIds`: the broker's requests whose results the answer carried. Never throws: unconfirmed is safe. */
  report(requestIds: string[]): void {
    if (requestIds.length === 0) return;
    this.link
      .call({
        method: 'answers_written',
        params: () => ({ request_ids: requestIds }),
        patienceMs: this.options.toolPatienceMs,
      })
      .catch((error: unknown) =>
        this.options.logger.debug({ err: error }, 'the broker did not learn of a written answer'),
      );
  }
}
