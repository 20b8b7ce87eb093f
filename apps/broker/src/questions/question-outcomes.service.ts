import { Inject, Injectable } from '@nestjs/common';

import { formatId } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { OutgoingMessages } from '../messages/outgoing.service.js';
import { SYSTEM_SENDER, type Sender } from '../messages/sender.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import { OPERATOR_ID } from '../registry/agent.js';
import { RegistryService } from '../registry/registry.service.js';
import { DeliveryViews } from '../views/delivery-views.js';
import { outcomeNote, type Outcome, type QuestionRecord } from './question.js';
import { QuestionsRepository } from './questions.repository.js';

const ALL = Number.MAX_SAFE_INTEGER;

/** Who speaks in the message with the outcome, and past which hop (P20). */
interface Voice {
  sender: Sender;
  /** Default: what the sender's turn makes it. */
  hop?: number;
}

/**
 * The one outcome of each question (I8): the row is closed and the asker gets its message in the same transaction. Inside
 * a request; the caller has checked that the question is open.
 */
@Injectable()
export class QuestionOutcomes {
  constructor(
    private readonly rows: QuestionsRepository,
    private readonly outgoing: OutgoingMessages,
    private readonly changes: ChangeLog,
    private readonly views: DeliveryViews,
    registry: RegistryService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    registry.onDestroyed((agent) => this.settleFor(agent.id));
  }

  answer(question: QuestionRecord, text: string, sender: Sender): QuestionRecord {
    const closed = this.close(question, {
      state: 'answered',
      answer: text,
      answered_by: sender.id,
    });
    this.tellAsker(closed, text, { sender });
    return closed;
  }

  expire(question: QuestionRecord): void {
    const closed = this.close(question, { state: 'expired', answer: null, answered_by: null });
    this.tellAsker(closed, '[expired]', { sender: SYSTEM_SENDER, hop: question.hop });
  }

  /** The operator, or the hive for want of its target, cancelled it: the asker gets the outcome. */
  cancel(question: QuestionRecord, sender: Sender): QuestionRecord {
    const closed = this.close(question, cancelledBy(sender));
    const hop = sender === SYSTEM_SENDER ? question.hop : undefined;
    this.tellAsker(closed, '[cancelled]', { sender, hop });
    this.tellTarget(closed, SYSTEM_SENDER);
    return closed;
  }

  /** Its asker took it back, or is no more: only the target is told. */
  withdraw(question: QuestionRecord, sender: Sender): QuestionRecord {
    const closed = this.close(question, cancelledBy(sender));
    this.tellTarget(closed, sender);
    return closed;
  }

  /** Its questions are over both ways (P25). */
  private settleFor(destroyed: number): void {
    for (const question of this.rows.openOf(destroyed, ALL)) this.withdraw(question, SYSTEM_SENDER);
    for (const question of this.rows.openTo(destroyed, ALL)) this.cancel(question, SYSTEM_SENDER);
  }

  private close(question: QuestionRecord, outcome: Outcome): QuestionRecord {
    const now = this.clock.now();
    this.rows.resolve(question.id, outcome, now);
    this.changes.questionResolved(question.id);
    if (question.target === OPERATOR_ID) this.changes.needsYouChanged();
    return { ...question, ...outcome, resolved_at: now };
  }

  private tellAsker(question: QuestionRecord, body: string, { sender, hop }: Voice): void {
    this.outgoing.store({
      sender,
      hop,
      recipient: { id: question.asker, name: this.nameOf(question.asker), limited: false },
      body,
      kind: 'answer',
      event: 'question_answered',
      answers: question.asked_message ?? undefined,
      detail: { question: outcomeNote(question, this.nameOf) },
    });
  }

  private tellTarget(question: QuestionRecord, sender: Sender): void {
    if (question.target === OPERATOR_ID) return;
    this.outgoing.store({
      sender,
      hop: sender === SYSTEM_SENDER ? question.hop : undefined,
      recipient: { id: question.target, name: this.nameOf(question.target), limited: false },
      body: `The question ${formatId('q', question.id)} was cancelled; it needs no answer.`,
      kind: 'event',
      event: 'question_cancelled',
      priority: 'low',
      answers: question.asked_message ?? undefined,
      detail: { question: outcomeNote(question, this.nameOf) },
    });
  }

  private readonly nameOf = (id: number): string => this.views.nameOf(id);
}

function cancelledBy(sender: Sender): Outcome {
  return {
    state: 'cancelled',
    answer: null,
    answered_by: sender === SYSTEM_SENDER ? null : sender.id,
  };
}
