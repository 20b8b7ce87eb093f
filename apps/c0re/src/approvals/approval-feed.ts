import { Injectable } from '@nestjs/common';

import type { NewHiveEvent } from '#libs/protocol';

import { C0reDatabase } from '../database/c0re.database.js';
import { ManagerNews } from '../manager/manager-news.repository.js';
import { RegistryPush, type Feed } from '../registry/registry-push.service.js';
import { ApprovalViews } from './approval-views.js';
import { ApprovalRepository } from './approval.repository.js';

/** Rows in one call. */
const BATCH = 100;

/** Tells the broker of approvals, and through it the manager of what became of things. */
@Injectable()
export class ApprovalFeed {
  /** Connection and list that the broker was told last. */
  private told = '';

  constructor(
    private readonly approvals: ApprovalRepository,
    private readonly views: ApprovalViews,
    private readonly news: ManagerNews,
    private readonly database: C0reDatabase,
    registry: RegistryPush,
  ) {
    registry.addFeed(async (call) => {
      await this.tellNews(call);
      await this.tellWaiting(call, registry.connection);
      await this.publish(call);
    });
    approvals.onChange(() => registry.kick());
    news.onAdded(() => registry.kick());
  }

  private async tellNews(call: Parameters<Feed>[0]): Promise<void> {
    for (;;) {
      const batch = this.news.untold(BATCH);
      if (batch.length === 0) return;
      for (const { id, event, body } of batch) {
        await call('tell_manager', { key: `c0re-${this.database.hiveId}-${id}`, event, body });
        this.news.told(id);
      }
    }
  }

  private async tellWaiting(call: Parameters<Feed>[0], connection: number): Promise<void> {
    const approvals = this.approvals.pending().map((approval) => this.views.row(approval));
    const telling = `${connection} ${JSON.stringify(approvals)}`;
    if (telling === this.told) return;
    await call('put_waiting', { approvals });
    this.told = telling;
  }

  private async publish(call: Parameters<Feed>[0]): Promise<void> {
    for (;;) {
      const batch = this.approvals.unpublished(BATCH);
      if (batch.length === 0) return;
      const events = batch.map((approval): NewHiveEvent => {
        const kind = approval.state === 'pending' ? 'approval_added' : 'approval_resolved';
        return { kind, approval: this.views.row(approval) };
      });
      await call('publish', { events });
      this.approvals.markPublished(batch);
    }
  }
}
