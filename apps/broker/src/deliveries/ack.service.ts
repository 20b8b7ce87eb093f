import { Injectable } from '@nestjs/common';

import { parseId, type BrokerGatewayApi } from '#libs/protocol';

import { AgentDirectory } from '../registry/agent-directory.service.js';
import { Credentials, turnIsOver, type AgentCaller } from '../registry/credentials.service.js';
import { Writer } from '../storage/writer.service.js';
import { DeliveriesRepository } from './deliveries.repository.js';
import { Deliveries } from './deliveries.service.js';
import { WaitingReceivers } from './waiting-receivers.js';

type AckResult = BrokerGatewayApi['ack'][1];

/** `ack` and `session_closed`: what a client says of messages that it was handed (P1, P12). */
@Injectable()
export class AckService {
  constructor(
    private readonly writer: Writer,
    private readonly credentials: Credentials,
    private readonly directory: AgentDirectory,
    private readonly deliveries: Deliveries,
    private readonly rows: DeliveriesRepository,
    private readonly receivers: WaitingReceivers,
  ) {}

  /** Acks what the caller holds, by turn or by session; the rest is named with the reason. */
  async ack(credential: string, session: string, ids: readonly string[]): Promise<AckResult> {
    return this.writer.submit(() => {
      const caller = this.credentials.caller(credential);
      const result: AckResult = { acked: [], not_acked: [] };
      for (const id of new Set(ids)) {
        const reason = this.ackOne(caller, session, id);
        if (reason === undefined) result.acked.push(id);
        else result.not_acked.push({ id, reason });
      }
      return result;
    });
  }

  /** The session is over: what it holds as a bare client goes back, marked. Unknown tokens hold nothing. */
  async sessionClosed(credential: string, session: string): Promise<{ returned: number }> {
    return this.writer.submit(() => {
      const agent = this.directory.byToken(credential) ?? this.credentials.peek(credential);
      if (!agent) return { returned: 0 };
      this.receivers.refuse(agent.id, (receiver) => receiver.session === session, turnIsOver);
      const held = this.rows.leasedTo(agent.id).filter((row) => row.session === session);
      for (const row of held) this.deliveries.giveBack(row);
      return { returned: held.length };
    });
  }

  /** Undefined when it was acked, now or before by this very turn or session. */
  private ackOne({ agent, turn }: AgentCaller, session: string, id: string): string | undefined {
    const message = parseId('m', id);
    const row = message === undefined ? undefined : this.rows.find(message, agent.id);
    if (!row || row.hand_outs === 0) return 'you were never handed this message';
    const isYours = turn ? row.turn === turn.id : row.session === session;
    if (!isYours)
      return turn
        ? 'it is not leased to this turn; it was handed out in another'
        : 'it is not leased to this session; it was handed out in another, or its lease is over';
    if (row.state === 'acked') return undefined;
    if (row.state !== 'leased') return `its lease is over: it is ${row.state}`;
    this.deliveries.ack(row);
    return undefined;
  }
}
