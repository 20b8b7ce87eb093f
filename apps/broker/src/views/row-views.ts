import { Injectable } from '@nestjs/common';

import {
  formatId,
  isoTime,
  type AgentRow,
  type MessageRow,
  type TurnRow,
  type TurnTelemetry,
} from '#libs/protocol';

import { InboxCounts } from '../deliveries/inbox-counts.js';
import { Presence } from '../links/presence.js';
import { namesIn, threadOf, type MessageDetail, type MessageRecord } from '../messages/message.js';
import { MessagesRepository } from '../messages/messages.repository.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import type { Agent } from '../registry/agent.js';
import { ReminderCounts } from '../reminders/reminder-counts.js';
import { TelemetryJournal } from '../telemetry/telemetry.journal.js';
import { countsOf, type UnversionedTurnRow } from '../telemetry/turn-rows.repository.js';
import { LiveTurns } from '../turns/live-turns.js';
import type { TurnRecord } from '../turns/turn.js';
import { TurnsRepository } from '../turns/turns.repository.js';
import { DeliveryViews } from './delivery-views.js';

/**
 * The broker's rows as they cross its border. Read between two transactions, so what one call reads fits together, and
 * carries the version that the caller read in the same turn of the event loop (P38).
 */
@Injectable()
export class RowViews {
  constructor(
    private readonly directory: AgentDirectory,
    private readonly messages: MessagesRepository,
    private readonly deliveryViews: DeliveryViews,
    private readonly inboxes: InboxCounts,
    private readonly reminders: ReminderCounts,
    private readonly liveTurns: LiveTurns,
    private readonly turns: TurnsRepository,
    private readonly presence: Presence,
    private readonly telemetry: TelemetryJournal,
  ) {}

  message(id: number, version: number): MessageRow | undefined {
    const record = this.messages.find(id);
    return record && this.messageOf(record, version);
  }

  messageOf(record: MessageRecord, version: number): MessageRow {
    return {
      version,
      id: formatId('m', record.id),
      thread_id: formatId('m', threadOf(record)),
      ...(record.in_reply_to === null ? {} : { in_reply_to: formatId('m', record.in_reply_to) }),
      from: record.from_name,
      from_kind: record.from_kind,
      to: namesIn(record.to_names).join(', '),
      body: record.body,
      sent_at: isoTime(record.sent_at),
      priority: record.priority,
      broadcast: record.broadcast === 1,
      hop: record.hop,
      kind: record.kind,
      ...(record.event === null ? {} : { event: record.event }),
      ...(record.may_repeat === 1 ? { may_repeat: true } : {}),
      ...(record.detail === null ? {} : (JSON.parse(record.detail) as MessageDetail)),
      ...this.deliveryViews.ofMessage(record.id),
    };
  }

  agent(id: number, version: number): AgentRow | undefined {
    const agent = this.directory.byId(id);
    return agent && this.agentOf(agent, version);
  }

  /** Every agent that is not destroyed. */
  agents(version: number): AgentRow[] {
    return [...this.directory.all()].map((agent) => this.agentOf(agent, version));
  }

  turn(id: number, version: number): TurnRow | undefined {
    const stored = this.turns.find(id);
    // The turn's own row has what the harness reported until the telemetry row is there, never neither.
    if (stored && (stored.ended_at === null || stored.journaled === 0))
      return { version, ...this.turnOf(stored) };
    const row = this.telemetry.store.turns.find(id);
    if (row) return { version, ...row };
    return stored && { version, ...this.turnOf(stored) };
  }

  private agentOf(agent: Agent, version: number): AgentRow {
    const turn = this.liveTurns.of(agent.id);
    const seenAt = this.presence.seenAt(agent.id);
    return {
      version,
      agent_id: String(agent.id),
      name: agent.name,
      role: agent.role,
      driver: agent.live_driver ?? agent.driver,
      model: agent.live_model ?? agent.model,
      container: agent.container,
      state: agent.state,
      turn_state: agent.turn_state,
      ...(turn
        ? {
            turn: {
              turn_id: formatId('t', turn.id),
              started_at: isoTime(turn.started_at),
              wake_from: turn.wake_from,
              wake_reason: turn.wake_reason,
            },
          }
        : {}),
      status_text: agent.status_text,
      unread: this.inboxes.queued(agent.id),
      reminders: this.reminders.of(agent.id),
      ...this.telemetry.usage(agent.id),
      deployed_sha: agent.deployed_sha,
      needs_login: agent.turn_state === 'needs_login',
      needs_update: false,
      harness_seen_at: seenAt === null ? null : isoTime(seenAt),
      reason: agent.reason,
    };
  }

  private turnOf(turn: TurnRecord): UnversionedTurnRow {
    const telemetry =
      turn.telemetry === null ? null : (JSON.parse(turn.telemetry) as TurnTelemetry);
    const ended = turn.ended_at;
    const agent = this.directory.byId(turn.agent);
    const counts = countsOf(telemetry);
    return {
      ...counts,
      // A running turn has not reported its model yet; the harness said hello with it.
      model: counts.model ?? (ended === null ? (agent?.live_model ?? agent?.model ?? null) : null),
      turn_id: formatId('t', turn.id),
      agent: this.deliveryViews.nameOf(turn.agent),
      started_at: isoTime(turn.started_at),
      ended_at: ended === null ? null : isoTime(ended),
      duration_ms:
        telemetry?.duration_ms ?? (ended === null ? null : Math.max(0, ended - turn.started_at)),
      wake_reason: turn.wake_reason,
      wake_from: turn.wake_from,
      thread_id: formatId('m', turn.thread),
      reminder_id: turn.reminder === null ? null : formatId('r', turn.reminder),
      result_kind: turn.result_kind,
      attempt: turn.attempt,
      note: turn.note,
    };
  }
}
