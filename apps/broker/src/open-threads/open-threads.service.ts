import { Inject, Injectable } from '@nestjs/common';

import {
  clip,
  formatId,
  HiveError,
  isoTime,
  MANAGER,
  type ApprovalRow,
  type OpenThread,
  type OpenThreads,
} from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { WaitingAtC0re } from '../manager/waiting-at-c0re.js';
import { threadOf } from '../messages/message.js';
import { targetName, optionsOf, type QuestionRecord } from '../questions/question.js';
import { QuestionsRepository } from '../questions/questions.repository.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import type { Agent } from '../registry/agent.js';
import { Credentials } from '../registry/credentials.service.js';
import { DeliveryViews } from '../views/delivery-views.js';
import { OpenThreadRows, type PendingReminder, type UnackedMessage } from './open-thread-rows.js';

/** Rows of one answer; `truncated` says when there are more. */
const MOST = 500;
/** Characters of a reminder and of a message's body that a row shows. */
const SHOWN_CHARS = 200;

/** A row before its age is told. */
type Aged = { since: number; row: OpenThread };

/** Everything that is pending (PRODUCT 2.4), computed from the rows at each call. */
@Injectable()
export class OpenThreadsService {
  constructor(
    private readonly credentials: Credentials,
    private readonly directory: AgentDirectory,
    private readonly questions: QuestionsRepository,
    private readonly rows: OpenThreadRows,
    private readonly names: DeliveryViews,
    private readonly waiting: WaitingAtC0re,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The caller's own, or as manager the whole hive's. Bodies of messages that the caller is no part of are left out (P34). */
  ofCaller(credential: string, scope: 'mine' | 'hive'): OpenThreads {
    const { agent } = this.credentials.caller(credential);
    if (scope === 'mine') return this.of(agent);
    if (agent.role !== MANAGER) {
      throw new HiveError(
        'forbidden',
        'scope "hive" is the manager\'s; leave scope out to see what is open of your own',
      );
    }
    const limit = MOST + 1;
    return this.list([
      ...this.questions.open(limit).map((question) => this.question(question)),
      ...this.waiting.approvals.map((approval) => this.approval(approval)),
      ...this.rows.reminders(limit).map((reminder) => this.reminder(reminder)),
      ...this.rows.unacked(limit).map((message) => {
        const isPart = message.from_agent === agent.id || message.recipient === agent.id;
        return this.message(isPart ? message : { ...message, body: '' });
      }),
    ]);
  }

  /** What `get_open_threads` gives the agent of this name, for the operator. */
  ofAgent(name: string): OpenThreads {
    const agent = this.directory.byLastName(name);
    if (!agent) throw new HiveError('not_found', `there is no agent "${name}"`);
    return this.of(agent);
  }

  private of({ id: agent, name }: Pick<Agent, 'id' | 'name'>): OpenThreads {
    const limit = MOST + 1;
    return this.list([
      ...this.questions.openOf(agent, limit).map((question) => this.question(question)),
      ...this.questions.openTo(agent, limit).map((question) => this.question(question)),
      ...this.waiting.approvals
        .filter(({ requested_by }) => requested_by === name)
        .map((approval) => this.approval(approval)),
      ...this.rows.remindersOf(agent, limit).map((reminder) => this.reminder(reminder)),
      ...this.rows.unackedOf(agent, limit).map((message) => this.message(message)),
    ]);
  }

  private list(found: Aged[]): OpenThreads {
    const oldestFirst = found.toSorted((a, b) => a.since - b.since);
    return {
      threads: oldestFirst.slice(0, MOST).map(({ row }) => row),
      ...(found.length > MOST ? { truncated: true } : {}),
    };
  }

  private question(question: QuestionRecord): Aged {
    const row: OpenThread = {
      kind: 'question',
      id: formatId('q', question.id),
      asker: this.nameOf(question.asker),
      target: targetName(question, this.nameOf),
      question: question.question,
      options: optionsOf(question),
      multi: question.multi === 1,
      ...(question.deadline_at === null ? {} : { deadline_at: isoTime(question.deadline_at) }),
      age_seconds: this.age(question.asked_at),
    };
    return { since: question.asked_at, row };
  }

  private approval(approval: ApprovalRow): Aged {
    const since = Date.parse(approval.requested_at);
    const row: OpenThread = {
      kind: 'approval',
      id: approval.id,
      agent: approval.agent ?? '',
      commit_ref: approval.sha ?? approval.commit_ref ?? '',
      description: approval.description,
      age_seconds: this.age(since),
    };
    return { since, row };
  }

  private reminder(reminder: PendingReminder): Aged {
    const row: OpenThread = {
      kind: 'reminder',
      id: formatId('r', reminder.id),
      owner: this.nameOf(reminder.owner),
      message: clip(reminder.message, SHOWN_CHARS),
      due_at: isoTime(reminder.due_at),
      age_seconds: this.age(reminder.created_at),
    };
    return { since: reminder.created_at, row };
  }

  private message(message: UnackedMessage): Aged {
    const row: OpenThread = {
      kind: 'message',
      id: formatId('m', message.id),
      from: message.from_name,
      to: this.nameOf(message.recipient),
      state: message.state,
      thread_id: formatId('m', threadOf(message)),
      body: clip(message.body, SHOWN_CHARS),
      age_seconds: this.age(message.sent_at),
    };
    return { since: message.sent_at, row };
  }

  private age(since: number): number {
    return Math.max(0, Math.floor((this.clock.now() - since) / 1000));
  }

  private readonly nameOf = (id: number): string => this.names.nameOf(id);
}
