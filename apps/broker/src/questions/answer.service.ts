import { Injectable } from '@nestjs/common';

import {
  HiveError,
  MANAGER,
  parseId,
  type QuestionRow,
  type QuestionState,
  type Repeatable,
} from '#libs/protocol';

import { Deliveries } from '../deliveries/deliveries.service.js';
import { agentSender, OPERATOR_SENDER } from '../messages/sender.js';
import { Credentials } from '../registry/credentials.service.js';
import { RequestLog } from '../requests/request-log.service.js';
import { Writer } from '../storage/writer.service.js';
import { DeliveryViews } from '../views/delivery-views.js';
import { RowVersion } from '../views/row-version.js';
import { answerText } from './answer-text.js';
import { QuestionOutcomes } from './question-outcomes.service.js';
import { QuestionViews } from './question-views.js';
import { assertOpen, type QuestionRecord } from './question.js';
import { QuestionsRepository } from './questions.repository.js';

type Answer = Repeatable & { id: string; answer: string | string[] };
type Cancellation = Partial<Repeatable> & { id: string };

/** Answers of the one who was asked, and the operator's, who may answer and cancel any question (PRODUCT 2.2). */
@Injectable()
export class AnswerService {
  constructor(
    private readonly writer: Writer,
    private readonly credentials: Credentials,
    private readonly requests: RequestLog,
    private readonly rows: QuestionsRepository,
    private readonly outcomes: QuestionOutcomes,
    private readonly deliveries: Deliveries,
    private readonly names: DeliveryViews,
    private readonly views: QuestionViews,
    private readonly version: RowVersion,
  ) {}

  /** The same sentence for unknown questions and for those that another was asked. */
  async answer(credential: string, params: Answer): Promise<{ id: string; state: QuestionState }> {
    return this.writer.submit(() => {
      const { agent, turn } = this.credentials.caller(credential);
      const sender = agentSender(agent, turn);
      const request = {
        id: params.request_id,
        method: 'answer',
        caller: agent.id,
        turn: turn?.id ?? null,
        session: null,
      };
      return this.requests.once(request, () => {
        const question = this.find(params.id);
        if (question?.target !== agent.id)
          throw new HiveError('not_found', 'there is no such question among those asked of you');
        const text = this.textFor(question, params.answer);
        const { state } = this.outcomes.answer(question, text, sender);
        return { id: params.id, state };
      });
    });
  }

  /** Lets go what a cancelled turn of the asker held, as every message of the operator does (P17). */
  async fromOperator(params: Answer): Promise<{ question: QuestionRow }> {
    const id = await this.writer.submit(() =>
      this.requests.onceForOperator('answer_question', params.request_id, () => {
        const question = this.known(params.id);
        const text = this.textFor(question, params.answer);
        this.outcomes.answer(question, text, OPERATOR_SENDER);
        this.deliveries.release(question.asker);
        return question.id;
      }),
    );
    return this.row(id);
  }

  /** The asker gets the outcome `[cancelled]`; a peer that was asked is told. */
  async cancel(params: Cancellation): Promise<{ question: QuestionRow }> {
    const id = await this.writer.submit(() =>
      this.requests.onceForOperator('cancel_question', params.request_id, () => {
        const question = this.known(params.id);
        assertOpen(question, this.nameOf);
        this.outcomes.cancel(question, OPERATOR_SENDER);
        return question.id;
      }),
    );
    return this.row(id);
  }

  /** The manager may cancel any question, as the operator may; the asker gets the outcome. */
  async cancelByManager(
    credential: string,
    { id, request_id }: Repeatable & { id: string },
  ): Promise<{ id: string; state: QuestionState }> {
    return this.writer.submit(() => {
      const { agent, turn } = this.credentials.caller(credential);
      const request = {
        id: request_id,
        method: 'cancel_question',
        caller: agent.id,
        turn: turn?.id ?? null,
        session: null,
      };
      if (agent.role !== MANAGER) {
        throw new HiveError(
          'forbidden',
          'only the manager may cancel the question of another; take back one of your own with cancel_ask',
        );
      }
      return this.requests.once(request, () => {
        const question = this.known(id);
        assertOpen(question, this.nameOf);
        const { state } = this.outcomes.cancel(question, agentSender(agent, turn));
        return { id, state };
      });
    });
  }

  /** Throws unless the question is open and this is an answer to it. */
  private textFor(question: QuestionRecord, answer: string | string[]): string {
    assertOpen(question, this.nameOf);
    return answerText(answer, question.multi === 1);
  }

  private find(id: string): QuestionRecord | undefined {
    return this.rows.find(parseId('q', id) ?? 0);
  }

  private known(id: string): QuestionRecord {
    const question = this.find(id);
    if (!question)
      throw new HiveError('not_found', 'there is no such question, or it is no longer kept');
    return question;
  }

  private row(id: number): { question: QuestionRow } {
    const question = this.views.row(id, this.version.now());
    if (!question) throw new HiveError('not_found', 'the question is no longer kept');
    return { question };
  }

  private readonly nameOf = (id: number): string => this.names.nameOf(id);
}
