import { Injectable } from '@nestjs/common';

import {
  assertBody,
  formatId,
  HiveError,
  LIMITS,
  type BrokerDashboardApi,
  type Repeatable,
  type SendParams,
  type SendResult,
} from '#libs/protocol';

import { Deliveries } from '../deliveries/deliveries.service.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import { Credentials } from '../registry/credentials.service.js';
import { RequestLog } from '../requests/request-log.service.js';
import { Writer } from '../storage/writer.service.js';
import { Addressing, type Addressed } from './addressing.service.js';
import { IdempotencyRepository } from './idempotency.repository.js';
import { threadOf } from './message.js';
import { MessagesRepository } from './messages.repository.js';
import { OutgoingMessages, sendResult } from './outgoing.service.js';
import { SendRate } from './send-rate.js';
import { agentSender, externalSender, OPERATOR_SENDER, type Sender } from './sender.js';
import {
  contentOf,
  sameSendKey,
  UnconfirmedSends,
  type UnconfirmedSend,
} from './unconfirmed-sends.js';

/** Takes messages in: `send` of agents and of the operator, and external wakes. */
@Injectable()
export class SendService {
  constructor(
    private readonly writer: Writer,
    private readonly credentials: Credentials,
    private readonly requests: RequestLog,
    private readonly directory: AgentDirectory,
    private readonly addressing: Addressing,
    private readonly rate: SendRate,
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
      return this.send(externalSender(agent, params.from), 'wake', { ...params, to: agent.name });
    });
  }

  /** The same, asked for by the operator's `hive wake`: shows as the program's, not as the operator's. */
  async wakeAgent({ agent: name, ...params }: WakeAgentParams): Promise<SendResult> {
    return this.writer.submit(() => {
      const agent = this.directory.byName(name);
      if (!agent) throw new HiveError('unknown_recipient', `there is no agent "${name}"`);
      return this.send(externalSender(agent, params.from), 'operator_wake', {
        ...params,
        to: name,
      });
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
    const addressed = this.addressing.resolve(sender, params.to, params.priority ?? 'normal');
    this.takeRate(sender, addressed);
    const stored = this.outgoing.storeFor({ ...params, sender }, addressed);
    if (sender.kind === 'operator')
      for (const { id } of addressed.recipients) this.deliveries.release(id);
    if (params.idempotency_key !== undefined) {
      const content = contentOf(sender.id, params);
      this.keys.remember(sender.id, params.idempotency_key, content, stored.id);
    }
    return sendResult(
      stored,
      addressed.recipients.map(({ name }) => name),
    );
  }

  /** What peers and programs beside an agent send counts against that agent's rate (PRODUCT 1.8, P33). */
  private takeRate({ id, kind }: Sender, { broadcast, recipients }: Addressed): void {
    const agent = kind === 'operator' ? undefined : this.directory.byId(id);
    if (agent) this.rate.take(agent, broadcast ? LIMITS.broadcast_send_tokens : recipients.length);
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
      ...sendResult({ id: sent.id, thread: threadOf(sent) }, this.outgoing.recipientsOf(sent)),
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
    const content = sameSendKey(agent.id, params);
    return { content, earlier: this.unconfirmed.take(content, params.request_id), used: false };
  }
}

type WakeAgentParams = BrokerDashboardApi['wake'][0];

/** What is known of a send before its transaction. */
interface Claim {
  content: string;
  /** An identical one whose answer may never have arrived. */
  earlier: UnconfirmedSend | undefined;
  used: boolean;
}
