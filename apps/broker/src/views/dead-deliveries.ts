import { Injectable } from '@nestjs/common';

import {
  formatDeliveryId,
  parseDeliveryId,
  type BrokerDashboardApi,
  type DeliveryRow,
} from '#libs/protocol';

import type { DeliveryRecord } from '../deliveries/delivery.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import { ThreadsDb } from '../storage/threads.db.js';
import { DeliveryViews } from './delivery-views.js';
import { pageOf } from './page.js';
import { RowVersion } from './row-version.js';
import { RowViews } from './row-views.js';

const USUAL_LIMIT = 50;

/**
 * Dead deliveries, newest first: there are few, in an index of their own (PRODUCT 1.2). Those of a name include what its
 * destroyed incarnations left.
 */
@Injectable()
export class DeadDeliveries {
  private readonly all;
  private readonly ofRecipients;

  constructor(
    { db }: ThreadsDb,
    private readonly directory: AgentDirectory,
    private readonly views: DeliveryViews,
    private readonly rows: RowViews,
    private readonly version: RowVersion,
  ) {
    this.all = db.prepare<[number, number, number], DeliveryRecord>(
      `SELECT * FROM deliveries INDEXED BY deliveries_dead
       WHERE state = 'dead' AND (message, recipient) < (?, ?) ORDER BY message DESC, recipient DESC LIMIT ?`,
    );
    this.ofRecipients = db.prepare<[string, number, number], DeliveryRecord>(
      `SELECT * FROM deliveries INDEXED BY deliveries_dead
       WHERE state = 'dead' AND recipient IN (SELECT value FROM json_each(?)) AND message < +? ORDER BY message DESC LIMIT +?`,
    );
  }

  page({
    agent,
    before,
    limit = USUAL_LIMIT,
  }: BrokerDashboardApi['dead_deliveries'][0]): BrokerDashboardApi['dead_deliveries'][1] {
    const from = before === undefined ? undefined : parseDeliveryId(before);
    const message = from?.message ?? Number.MAX_SAFE_INTEGER;
    const found =
      agent === undefined
        ? this.all.all(message, from?.recipient ?? 0, limit + 1)
        : this.ofRecipients.all(JSON.stringify(this.directory.idsOf(agent)), message, limit + 1);
    const version = this.version.now();
    const { page, last } = pageOf(found, limit);
    return {
      deliveries: page.map((record) => this.row(record, version)),
      ...(last ? { next: formatDeliveryId(last.message, last.recipient) } : {}),
    };
  }

  private row(record: DeliveryRecord, version: number): DeliveryRow {
    const message = this.rows.message(record.message, version);
    if (!message) throw new Error(`a dead delivery of m${record.message} has no message`);
    const id = formatDeliveryId(record.message, record.recipient);
    return { version, id, message, ...this.views.of(record) };
  }
}
