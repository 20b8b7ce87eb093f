import { Injectable } from '@nestjs/common';

import type { ApprovalRow } from '#libs/protocol';

import { ChangeLog } from '../outbox/change-log.service.js';
import { Writer } from '../storage/writer.service.js';

/**
 * What waits for the operator at c0re, which owns it and gives the whole again after each connect. It is not kept on
 * disk: with c0re away nothing of it can be decided.
 */
@Injectable()
export class WaitingAtC0re {
  private rows: readonly ApprovalRow[] = [];

  constructor(
    private readonly writer: Writer,
    private readonly changes: ChangeLog,
  ) {}

  get approvals(): readonly ApprovalRow[] {
    return this.rows;
  }

  async replace(approvals: readonly ApprovalRow[]): Promise<{ waiting: number }> {
    const before = JSON.stringify(this.rows);
    this.rows = approvals;
    if (JSON.stringify(approvals) !== before) {
      await this.writer.submit(() => this.changes.needsYouChanged());
    }
    return { waiting: approvals.length };
  }
}
