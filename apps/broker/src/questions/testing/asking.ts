import {
  parseId,
  type AskParams,
  type OpenAsk,
  type OpenThreads,
  type QuestionRow,
  type QuestionState,
} from '#libs/protocol';

import type { Swarm, TestTurn } from '../../testing/swarm.js';
import { QuestionsRepository } from '../questions.repository.js';

type Options = { request_id?: string };

/** What agents and the operator do with questions, in short. */
export class Asking {
  constructor(private readonly swarm: () => Swarm) {}

  async ask(
    from: string | TestTurn,
    question: string,
    params: Partial<AskParams> & Options = {},
  ): Promise<{ id: string }> {
    return this.broker.gateway.ask({ ...this.call(from), question, ...params }, this.context());
  }

  async answer(
    from: string | TestTurn,
    id: string,
    answer: string | string[],
    options: Options = {},
  ): Promise<{ id: string; state: QuestionState }> {
    return this.broker.gateway.answer(
      { ...this.call(from), id, answer, ...options },
      this.context(),
    );
  }

  async cancel(
    from: string | TestTurn,
    id: string,
    options: Options = {},
  ): Promise<{ id: string; state: QuestionState }> {
    return this.broker.gateway.cancel_ask({ ...this.call(from), id, ...options }, this.context());
  }

  async asks(from: string): Promise<OpenAsk[]> {
    const credential = this.swarm().token(from);
    return (await this.broker.gateway.list_my_asks({ credential }, this.context())).asks;
  }

  async threads(from: string, scope?: 'mine' | 'hive'): Promise<OpenThreads> {
    const credential = this.swarm().token(from);
    const params = { credential, ...(scope === undefined ? {} : { scope }) };
    return this.broker.gateway.get_open_threads(params, this.context());
  }

  async operatorAnswers(
    id: string,
    answer: string | string[],
    options: Options = {},
  ): Promise<QuestionRow> {
    const request_id = this.broker.requestId();
    const params = { request_id, id, answer, ...options };
    return (await this.broker.dashboard.answer_question(params, this.context())).question;
  }

  async operatorCancels(id: string): Promise<QuestionRow> {
    return (await this.broker.dashboard.cancel_question({ id }, this.context())).question;
  }

  /** State of the question as its row has it. */
  state(id: string): QuestionState | undefined {
    return this.broker.app.get(QuestionsRepository).find(parseId('q', id) ?? 0)?.state;
  }

  private get broker(): Swarm['broker'] {
    return this.swarm().broker;
  }

  private context() {
    return this.swarm().context();
  }

  private call(from: string | TestTurn) {
    return {
      credential: typeof from === 'string' ? this.swarm().token(from) : from.run,
      request_id: this.broker.requestId(),
      session: 'asking',
    };
  }
}
