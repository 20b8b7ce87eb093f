import { Injectable } from '@nestjs/common';

import type { NewHiveEvent } from '#libs/protocol';

import { NeedsYouList } from '../needs-you/needs-you-list.js';
import type { ChangeSet } from '../outbox/change-set.js';
import { QuestionViews } from '../questions/question-views.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import { ReminderViews } from '../reminders/reminder-views.js';
import { RowVersion } from '../views/row-version.js';
import { RowViews } from '../views/row-views.js';

/** Makes events of changes: each carries its whole row as it stands now, with the version of now (P38). */
@Injectable()
export class EventHydrator {
  constructor(
    private readonly rows: RowViews,
    private readonly reminders: ReminderViews,
    private readonly version: RowVersion,
    private readonly directory: AgentDirectory,
    private readonly questions: QuestionViews,
    private readonly needsYou: NeedsYouList,
  ) {}

  /** In the order in which a reader should see them; rows that are gone are passed over. */
  events(changes: ChangeSet): NewHiveEvent[] {
    const version = this.version.now();
    const events: NewHiveEvent[] = [];
    for (const id of changes.sent ?? []) {
      const message = this.rows.message(id, version);
      if (message) events.push({ kind: 'message_sent', message });
    }
    for (const id of changes.deliveries ?? []) {
      const message = this.rows.message(id, version);
      if (message) events.push({ kind: 'delivery_changed', message });
    }
    for (const id of changes.started ?? []) {
      const turn = this.rows.turn(id, version);
      if (turn) events.push({ kind: 'turn_started', turn });
    }
    events.push(...(changes.events ?? []));
    for (const id of changes.ended ?? []) {
      const turn = this.rows.turn(id, version);
      if (turn) events.push({ kind: 'turn_ended', turn });
    }
    for (const id of changes.questions_added ?? []) {
      const question = this.questions.row(id, version);
      if (question) events.push({ kind: 'question_added', question });
    }
    for (const id of changes.questions_resolved ?? []) {
      const question = this.questions.row(id, version);
      if (question) events.push({ kind: 'question_resolved', question });
    }
    for (const id of changes.reminders ?? []) {
      const reminder = this.reminders.find(id, version);
      if (reminder) events.push({ kind: 'reminder_changed', reminder });
    }
    for (const id of changes.agents ?? []) {
      const agent = this.rows.agent(id, version);
      if (agent && agent.state !== 'destroyed') events.push({ kind: 'agent_changed', agent });
    }
    for (const id of changes.removed ?? []) {
      const name = this.directory.byId(id)?.name ?? '';
      events.push({ kind: 'agent_removed', agent_id: String(id), name, version });
    }
    if (changes.needs_you)
      events.push({ kind: 'needs_you_changed', version, needs_you: this.needsYou.list() });
    return events;
  }
}
