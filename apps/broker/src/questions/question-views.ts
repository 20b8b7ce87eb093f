import { Injectable } from '@nestjs/common';

import {
  formatId,
  HiveError,
  isoTime,
  OPERATOR,
  parseId,
  type BrokerDashboardApi,
  type QuestionRow,
  type QuestionState,
} from '#libs/protocol';

import { AgentDirectory } from '../registry/agent-directory.service.js';
import { OPERATOR_ID } from '../registry/agent.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { DeliveryViews } from '../views/delivery-views.js';
import { pageOf } from '../views/page.js';
import { RowVersion } from '../views/row-version.js';
import { optionsOf, targetName, type QuestionRecord } from './question.js';
import { QuestionsRepository } from './questions.repository.js';

/** Questions of a page when the request names no number. */
const PAGE = 50;
/** Rows that one page looks at: a filter that fits few gives a short page, which says where to go on. */
const SCAN = 10_000;
/** Open questions, and those resolved last, that the page shows first. */
const SNAPSHOT_OPEN = 500;
const SNAPSHOT_RESOLVED = 20;

/** Questions as the dashboard shows them. */
@Injectable()
export class QuestionViews {
  private readonly page;
  private readonly highest;

  constructor(
    private readonly rows: QuestionsRepository,
    private readonly names: DeliveryViews,
    private readonly directory: AgentDirectory,
    private readonly version: RowVersion,
    { db }: ThreadsDb,
  ) {
    this.page = db.prepare<
      {
        before: number;
        from: number;
        agent: number | null;
        state: QuestionState | null;
        limit: number;
      },
      QuestionRecord
    >(
      `SELECT * FROM questions WHERE id < +@before AND id >= +@from
         AND (@agent IS NULL OR asker = @agent OR target = @agent)
         AND (@state IS NULL OR state = @state)
       ORDER BY id DESC LIMIT +@limit`,
    );
    this.highest = db.prepare<[], number | null>('SELECT max(id) FROM questions').pluck();
  }

  row(id: number, version: number): QuestionRow | undefined {
    const question = this.rows.find(id);
    return question && this.toRow(question, version);
  }

  /** What the page shows first, newest first: open ones, and those that were resolved last. */
  newest(version: number): QuestionRow[] {
    return [...this.rows.open(SNAPSHOT_OPEN), ...this.rows.resolvedLast(SNAPSHOT_RESOLVED)]
      .toSorted((a, b) => b.id - a.id)
      .map((question) => this.toRow(question, version));
  }

  /** A page of questions, newest first; `agent` as asker or target. */
  list(query: BrokerDashboardApi['questions'][0]): BrokerDashboardApi['questions'][1] {
    const limit = query.limit ?? PAGE;
    const end = (this.highest.get() ?? 0) + 1;
    const named = query.before === undefined ? undefined : parseId('q', query.before);
    const before = Math.min(end, named ?? end);
    const from = Math.max(1, before - SCAN);
    const agent = query.agent === undefined ? null : this.idOf(query.agent);
    const found = this.page.all({
      before,
      from,
      agent,
      state: query.state ?? null,
      limit: limit + 1,
    });
    const { page, last } = pageOf(found, limit);
    const next = last?.id ?? (from > 1 ? from : undefined);
    const version = this.version.now();
    return {
      questions: page.map((question) => this.toRow(question, version)),
      ...(next === undefined ? {} : { next: formatId('q', next) }),
    };
  }

  private toRow(question: QuestionRecord, version: number): QuestionRow {
    const { answered_by, deadline_at, resolved_at } = question;
    return {
      version,
      id: formatId('q', question.id),
      asker: this.nameOf(question.asker),
      target: targetName(question, this.nameOf),
      question: question.question,
      options: optionsOf(question),
      multi: question.multi === 1,
      state: question.state,
      asked_at: isoTime(question.asked_at),
      deadline_at: deadline_at === null ? null : isoTime(deadline_at),
      answer: question.answer,
      answered_by: answered_by === null ? null : this.nameOf(answered_by),
      resolved_at: resolved_at === null ? null : isoTime(resolved_at),
    };
  }

  private idOf(name: string): number {
    if (name === OPERATOR) return OPERATOR_ID;
    const agent = this.directory.byLastName(name);
    if (!agent) throw new HiveError('not_found', `there is no agent "${name}"`);
    return agent.id;
  }

  private readonly nameOf = (id: number): string => this.names.nameOf(id);
}
