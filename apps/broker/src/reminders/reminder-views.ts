import { Injectable } from '@nestjs/common';

import { formatId, isoTime, type ReminderRow } from '#libs/protocol';

import { AgentDirectory } from '../registry/agent-directory.service.js';
import type { ReminderRecord } from './reminder.js';
import { RemindersRepository } from './reminders.repository.js';

/** Reminders as they cross the broker's border to the dashboard. */
@Injectable()
export class ReminderViews {
  constructor(
    private readonly rows: RemindersRepository,
    private readonly directory: AgentDirectory,
  ) {}

  find(id: number, version: number): ReminderRow | undefined {
    const record = this.rows.find(id);
    return record && this.of(record, version);
  }

  of(record: ReminderRecord, version: number): ReminderRow {
    return {
      version,
      id: formatId('r', record.id),
      owner: this.directory.byId(record.owner)?.name ?? '',
      message: record.message,
      due_at: isoTime(record.due_at),
      every: record.every,
      every_tz: record.every_tz,
      state: record.state,
      occurrence: record.occurrence,
      attempt_count: record.attempt_count,
      last_error: record.last_error,
      last_attempt_at: record.last_attempt_at === null ? null : isoTime(record.last_attempt_at),
      created_at: isoTime(record.created_at),
      file_path: record.file_path,
    };
  }
}
