import { Injectable } from '@nestjs/common';

import {
  assertBody,
  formatId,
  HiveError,
  type Repeatable,
  type SendParams,
  type SendResult,
} from '#libs/protocol';

import { Deliveries } from '../deliveries/deliveries.service.js';
import { Credentials } from '../registry/credentials.service.js';
import { RequestLog } from '../requests/request-log.service.js';
import { Writer } from '../storage/writer.service.js';
import { Addressing } from './addressing.service.js';
import { IdempotencyRepository } from './idempotency.repository.js';
import { threadOf } from './message.js';
import { MessagesRepository } from './messages.repository.js';
import { OutgoingMessages, sendResult } from './outgoing.service.js';
import { agentSender, externalSender, OPERATOR_SENDER, type Sender } from './sender.js';
import { contentOf, UnconfirmedSends, type UnconfirmedSend } from './unconfirmed-sends.js';

/** Takes messages in: `send` of agents and of the operator, and external wakes. */
@Injectable()
export class SendService {
  constructor(
    private readonly writer: Writer,
    private readonly credentials: Credentials,
    private readonly requests: RequestLog,
    private readonly addressing: Addressing,
    private readonly outgoing: OutgoingMessages,
    private readonly keys: IdempotencyRepository,
    private readonly unconfirmed: UnconfirmedSends,
    private readonly messages: MessagesRepository,
    private readonly deliveries: Deliveries,
  ) {}

  /** Settles when the message is on disk. */
  async fromAgent(credential: string, params: SendParams & Repeatable): Promise<SendResult> {
    const claim = this.claim(credential, params);
    try {
      return await this.writer.submit(() => {
        const { agent, turn } = this.credentials.caller(credential);
        return this.send(agentSender(agent, turn), 'send', params, claim);
      });
    } finally {
      if (claim?.earlier && !claim.used) this.unconfirmed.add(claim.earlier);
    }
  }

  /** A message of the operator; lets go what a cancelled turn of the recipient held (P17). */
  async fromOperator(params: SendParams & Repeatable): Promise<SendResult> {
    return this.writer.submit(() => this.send(OPERATOR_SENDER, 'operator_send', params));
  }

  /** A program in or beside the agent's container wakes it (PRODUCT 1.15). */
  async wake(
    credential: string,
    params: Repeatable & { from: string; body: string },
  ): Promise<SendResult> {
    return this.writer.submit(() => {
      const { agent } = this.credentials.caller(credential);
      const sender = externalSender(agent, params.from);
      return this.send(sender, 'wake', { ...params, to: agent.name });
    });
  }

  private send(
    sender: Sender,
    method: string,
    params: SendParams & Repeatable,
    claim?: Claim,
  ): SendResult {
    const repeated = this.requests.repeated(params.request_id, method, sender.id);
    if (repeated) return JSON.parse(repeated.answer) as SendResult;
    assertBody(params.body);
    const result = this.keyed(sender, params) ?? this.absorbed(claim) ?? this.store(sender, params);
    const absorbsRepeats = claim !== undefined && !claim.earlier;
    this.requests.remember(
      {
        id: params.request_id,
        method,
        caller: sender.id,
        turn: sender.turn?.id ?? null,
        session: null,
      },
      result,
      absorbsRepeats,
    );
    if (absorbsRepeats) {
      const { content } = claim;
      const send = { request: params.request_id, content, at: this.requests.now(), result };
      this.writer.afterCommit(() => this.unconfirmed.add(send));
    }
    return result;
  }

  private store(sender: Sender, params: SendParams): SendResult {
    const recipient = this.addressing.resolve(sender, params.to, params.priority ?? 'normal');
    const stored = this.outgoing.store({ ...params, sender, recipient });
    if (sender.kind === 'operator') this.deliveries.release(recipient.id);
    if (params.idempotency_key !== undefined) {
      const content = contentOf(sender.id, params);
      this.keys.remember(sender.id, params.idempotency_key, content, stored.id);
    }
    return sendResult(stored, recipient.name);
  }

  /** The first result of an idempotency key that was used before (P11). */
  private keyed(sender: Sender, params: SendParams): SendResult | undefined {
    const key = params.idempotency_key;
    const before = key === undefined ? undefined : this.keys.find(sender.id, key);
    const sent = before && this.messages.find(before.message);
    if (!before || !sent) return undefined;
    if (before.content !== contentOf(sender.id, params)) {
      throw new HiveError(
        'idempotency_conflict',
        `this idempotency_key was used for ${formatId('m', sent.id)}, which has other content; nothing was sent. Use a new key for a new message`,
        { id: formatId('m', sent.id) },
      );
    }
    return {
      ...sendResult({ id: sent.id, thread: threadOf(sent) }, sent.to_names),
      note: 'already sent with this idempotency_key; this is the first result',
    };
  }

  /** The result of an identical send of which the sender may never have heard (EXECUTIONS H13). */
  private absorbed(claim: Claim | undefined): SendResult | undefined {
    if (!claim?.earlier) return undefined;
    claim.used = true;
    this.requests.settleSends([claim.earlier.request]);
    const first = claim.earlier.result;
    const note = `already sent as ${first.id}; give an idempotency_key to send it again`;
    return { ...first, note };
  }

  /**
   * Looked up when the call arrives: of two identical sends that are under way at the same time none is a retry of the
   * other. Undefined for a send with a key, which says itself what it repeats.
   */
  private claim(credential: string, params: SendParams & Repeatable): Claim | undefined {
    const agent = this.credentials.peek(credential);
    if (!agent || params.idempotency_key !== undefined) return undefined;
    const content = contentOf(agent.id, params);
    return { content, earlier: this.unconfirmed.take(content, params.request_id), used: false };
  }
}

/** What is known of a send before its transaction. */
interface Claim {
  content: string;
  /** An identical one whose answer may never have arrived. */
  earlier: UnconfirmedSend | undefined;
  used: boolean;
}
