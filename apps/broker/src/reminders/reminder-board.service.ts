import { Inject, Injectable } from '@nestjs/common';

import {
  formatId,
  HiveError,
  parseId,
  type BrokerDashboardApi,
  type ReminderRow,
  type Repeatable,
} from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import { RequestLog } from '../requests/request-log.service.js';
import { Writer } from '../storage/writer.service.js';
import { pageOf } from '../views/page.js';
import { RowVersion } from '../views/row-version.js';
import { ReminderSteps } from './reminder-steps.service.js';
import { ReminderViews } from './reminder-views.js';
import type { ReminderRecord } from './reminder.js';
import { RemindersRepository } from './reminders.repository.js';

/** Reminders of a page when the request names no number. */
const USUAL_PAGE = 50;
/** Rows that one page looks at: bounds the time it may hold the writer. */
const PAGE_SCAN = 20_000;
/** Failed reminders that the page shows first. */
const SNAPSHOT_FAILED = 100;

/** A change of one reminder by the operator. */
type Change = Partial<Repeatable> & { id: string };
type Params<K extends keyof BrokerDashboardApi> = BrokerDashboardApi[K][0];
type Result<K extends keyof BrokerDashboardApi> = BrokerDashboardApi[K][1];

/** What the operator sees of reminders, and does with them (PRODUCT 3.5, 3.7). */
@Injectable()
export class ReminderBoard {
  constructor(
    private readonly writer: Writer,
    private readonly requests: RequestLog,
    private readonly rows: RemindersRepository,
    private readonly steps: ReminderSteps,
    private readonly views: ReminderViews,
    private readonly version: RowVersion,
    private readonly directory: AgentDirectory,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** A page, newest first. */
  page({ agent, state, before, limit = USUAL_PAGE }: Params<'reminders'>): Result<'reminders'> {
    const start = before === undefined ? Number.MAX_SAFE_INTEGER : (parseId('r', before) ?? 0);
    const owners = agent === undefined ? undefined : this.directory.idsOf(agent);
    const found = this.rows.page({
      before: start,
      owners,
      state,
      limit: limit + 1,
      scan: PAGE_SCAN,
    });
    const { page, last } = pageOf(found.rows, limit);
    const end = last?.id ?? found.scannedTo;
    const version = this.version.now();
    return {
      reminders: page.map((row) => this.views.of(row, version)),
      ...(end === undefined ? {} : { next: formatId('r', end) }),
    };
  }

  /** The failed ones, newest first, for the first look at the page. */
  failed(version: number): ReminderRow[] {
    return this.rows.failed(SNAPSHOT_FAILED).map((row) => this.views.of(row, version));
  }

  /** A failed one is pending again, its attempts counted afresh, due now. */
  async retry(params: Change): Promise<{ reminder: ReminderRow }> {
    return this.change('retry_reminder', params, (row) => {
      if (row.state !== 'failed')
        throw new HiveError('conflict', `the reminder ${params.id} is ${row.state}, not failed`);
      this.steps.restart(row, this.clock.now());
    });
  }

  async cancel(params: Change): Promise<{ reminder: ReminderRow }> {
    return this.change('cancel_reminder', params, (row) => {
      if (row.state === 'delivered' || row.state === 'cancelled')
        throw new HiveError('conflict', `the reminder ${params.id} is ${row.state} already`);
      this.steps.enter(row, 'cancelled');
    });
  }

  private async change(
    method: string,
    { id, request_id }: Change,
    work: (row: ReminderRecord) => void,
  ): Promise<{ reminder: ReminderRow }> {
    const number = await this.writer.submit(() =>
      this.requests.onceForOperator(method, request_id, () => {
        const row = this.rows.find(parseId('r', id) ?? 0);
        if (!row) throw new HiveError('not_found', `there is no reminder ${id}`);
        work(row);
        return row.id;
      }),
    );
    const reminder = this.views.find(number, this.version.now());
    if (!reminder) throw new HiveError('not_found', `${id} is no longer kept`);
    return { reminder };
  }
}
