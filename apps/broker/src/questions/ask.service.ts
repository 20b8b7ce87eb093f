import { Inject, Injectable } from '@nestjs/common';

import {
  assertBody,
  BROADCAST,
  formatId,
  HiveError,
  isoTime,
  LIMITS,
  OPERATOR,
  parseId,
  type AskParams,
  type OpenAsk,
  type QuestionState,
  type Repeatable,
} from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { Addressing, type Recipient } from '../messages/addressing.service.js';
import { OutgoingMessages } from '../messages/outgoing.service.js';
import { SendRate } from '../messages/send-rate.js';
import { agentSender, type Sender } from '../messages/sender.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import { OPERATOR_ID } from '../registry/agent.js';
import { Credentials } from '../registry/credentials.service.js';
import { RequestLog } from '../requests/request-log.service.js';
import { Writer } from '../storage/writer.service.js';
import { DeliveryViews } from '../views/delivery-views.js';
import { QuestionDeadlines } from './question-deadlines.service.js';
import { QuestionOutcomes } from './question-outcomes.service.js';
import { askedNote, assertOpen, optionsOf, type QuestionRecord } from './question.js';
import { QuestionsRepository } from './questions.repository.js';

/** What an agent does with questions of its own (PRODUCT 2.1, 2.3). Each is bounded by asker = self. */
@Injectable()
export class AskService {
  constructor(
    private readonly writer: Writer,
    private readonly credentials: Credentials,
    private readonly requests: RequestLog,
    private readonly addressing: Addressing,
    private readonly directory: AgentDirectory,
    private readonly rate: SendRate,
    private readonly outgoing: OutgoingMessages,
    private readonly rows: QuestionsRepository,
    private readonly outcomes: QuestionOutcomes,
    private readonly deadlines: QuestionDeadlines,
    private readonly changes: ChangeLog,
    private readonly views: DeliveryViews,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Settles when the question is on disk; a peer's message with it. */
  async ask(credential: string, params: AskParams & Repeatable): Promise<{ id: string }> {
    return this.writer.submit(() => {
      const { agent, turn } = this.credentials.caller(credential);
      const sender = agentSender(agent, turn);
      return this.requests.once(requestOf(params, 'ask', sender), () => this.store(sender, params));
    });
  }

  /** The caller's open questions, oldest first. */
  openAsks(credential: string): { asks: OpenAsk[] } {
    const { agent } = this.credentials.caller(credential);
    const asks = this.rows.openOf(agent.id, LIMITS.questions_open);
    return { asks: asks.map((question) => this.toOpenAsk(question)) };
  }

  /** The same sentence for unknown and foreign ids. The target is told, the asker gets no message. */
  async cancel(
    credential: string,
    params: Repeatable & { id: string },
  ): Promise<{ id: string; state: QuestionState }> {
    return this.writer.submit(() => {
      const { agent, turn } = this.credentials.caller(credential);
      const sender = agentSender(agent, turn);
      return this.requests.once(requestOf(params, 'cancel_ask', sender), () => {
        const question = this.rows.find(parseId('q', params.id) ?? 0);
        if (question?.asker !== agent.id)
          throw new HiveError('not_found', 'there is no such question among those that you asked');
        assertOpen(question, this.nameOf);
        const { state } = this.outcomes.withdraw(question, sender);
        return { id: params.id, state };
      });
    });
  }

  private store(sender: Sender, params: AskParams): { id: string } {
    assertQuestion(params);
    const target = this.target(sender, params.to ?? OPERATOR);
    const open = this.rows.openCount(sender.id);
    if (open >= LIMITS.questions_open) {
      throw new HiveError(
        'rate_limited',
        `${open} questions of yours are open, the limit is ${LIMITS.questions_open}. Nothing was asked; wait for answers, or cancel_ask what you no longer need (list_my_asks shows them)`,
        { open, limit: LIMITS.questions_open },
      );
    }
    const agent = this.directory.byId(sender.id);
    if (agent) this.rate.take(agent);
    const now = this.clock.now();
    const hop = this.outgoing.hopOf(sender);
    const question = {
      asker: sender.id,
      target: target.id,
      question: params.question,
      options: JSON.stringify(params.options ?? []),
      multi: params.multi === true ? 1 : 0,
      hop,
      asked_at: now,
      deadline_at: params.ttl_seconds ? now + params.ttl_seconds * 1000 : null,
    };
    const id = this.rows.insert(question);
    this.changes.questionAdded(id);
    if (target.id === OPERATOR_ID) this.changes.needsYouChanged();
    else this.askPeer(sender, target, this.rows.find(id));
    this.deadlines.watch(id, question.deadline_at);
    return { id: formatId('q', id) };
  }

  private askPeer(sender: Sender, target: Recipient, question: QuestionRecord | undefined): void {
    if (!question) return;
    const message = this.outgoing.store({
      sender,
      recipient: target,
      body: question.question,
      kind: 'event',
      event: 'question_asked',
      hop: question.hop,
      detail: { question: askedNote(question, this.nameOf) },
    });
    this.rows.setAskedMessage(question.id, message.id);
  }

  /** Throws unless this agent may ask `to`; the operator always. */
  private target(sender: Sender, to: string): Recipient {
    if (to === OPERATOR) return { id: OPERATOR_ID, name: OPERATOR, limited: false };
    if (to === BROADCAST) {
      throw new HiveError(
        'invalid_request',
        'a question goes to one agent or to the operator, not to "*"; nothing was asked',
      );
    }
    if (to === sender.name) {
      throw new HiveError(
        'invalid_request',
        'you cannot ask yourself; ask the operator or a peer (list_agents shows them)',
      );
    }
    return this.addressing.recipient(sender, to, 'normal');
  }

  private toOpenAsk(question: QuestionRecord): OpenAsk {
    const options = optionsOf(question);
    return {
      id: formatId('q', question.id),
      target: this.nameOf(question.target),
      question: question.question,
      ...(options.length === 0 ? {} : { options }),
      asked_at: isoTime(question.asked_at),
      ...(question.deadline_at === null ? {} : { deadline_at: isoTime(question.deadline_at) }),
    };
  }

  private readonly nameOf = (id: number): string => this.views.nameOf(id);
}

function assertQuestion({ question, options, multi }: AskParams): void {
  assertBody(question.trim() === '' ? '' : question, 'question');
  if (multi === true && (options ?? []).length === 0) {
    throw new HiveError(
      'invalid_request',
      'multi is for questions with options: give the options, or leave multi out',
    );
  }
}

/** How a repeatable request of a sender is remembered. */
function requestOf({ request_id }: Repeatable, method: string, sender: Sender) {
  return {
    id: request_id,
    method,
    caller: sender.id,
    turn: sender.turn?.id ?? null,
    session: null,
  };
}
