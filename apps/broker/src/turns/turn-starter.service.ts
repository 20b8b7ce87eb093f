import { Inject, Injectable } from '@nestjs/common';

import {
  formatId,
  LIMITS,
  type Message,
  type PollAnswer,
  type TurnGrant,
  type WakeReason,
} from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { DeliveriesRepository } from '../deliveries/deliveries.repository.js';
import { Deliveries } from '../deliveries/deliveries.service.js';
import type { DeliveryRecord } from '../deliveries/delivery.js';
import { InboxCounts } from '../deliveries/inbox-counts.js';
import { Picker, type Pick } from '../deliveries/picker.service.js';
import { toMessage, type MessageRecord } from '../messages/message.js';
import { MessagesRepository } from '../messages/messages.repository.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import type { Agent } from '../registry/agent.js';
import { Commands } from './commands.service.js';
import { GrantLimiter } from './grant-limiter.js';
import { LeaseTimes } from './lease-times.js';
import { LiveTurns } from './live-turns.js';
import { causeOf } from './turn-cause.js';
import type { LiveTurn } from './turn.js';
import { TurnsRepository } from './turns.repository.js';
import type { WaitingPoll } from './waiting-polls.js';

/** Starts turns: takes what wakes the agent, binds the run, and writes the grant (P7, P8). Inside a request. */
@Injectable()
export class TurnStarter {
  constructor(
    private readonly directory: AgentDirectory,
    private readonly turns: LiveTurns,
    private readonly turnRows: TurnsRepository,
    private readonly messages: MessagesRepository,
    private readonly deliveries: Deliveries,
    private readonly rows: DeliveriesRepository,
    private readonly picker: Picker,
    private readonly counts: InboxCounts,
    private readonly limiter: GrantLimiter,
    private readonly leases: LeaseTimes,
    private readonly commands: Commands,
    private readonly changes: ChangeLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Starts a turn with what was picked; nothing else may hold the agent. */
  start(
    agent: Agent,
    poll: WaitingPoll,
    { deliveries, urgentRow, spread = false }: Pick & { spread?: boolean },
  ): PollAnswer {
    const [first] = deliveries;
    const content = first && this.messages.find(first.message);
    if (!first || !content) throw new Error(`nothing to start a turn of ${agent.name} with`);
    const along = first.attempts > 0 ? [] : this.picker.lowAlong(agent);
    const taken = [first, ...along];
    const turn = this.turns.start({
      agent: agent.id,
      instance: poll.instance,
      run: poll.run,
      started_at: this.clock.now(),
      wake: first.message,
      wake_reason: reasonOf(content),
      wake_from: content.from_name,
      ...causeOf(content, this.turnRows),
      attempt: first.attempts + 1,
      redelivered: first.hand_outs > 0 ? 1 : 0,
      hop: Math.max(...taken.map((row) => this.messages.find(row.message)?.hop ?? 0)),
      next_turn: 0,
      cancel: 0,
    });
    const leased = taken.map((row) => this.deliveries.lease(row, { turn: turn.id }, true));
    this.directory.update(agent, {
      urgent_row: urgentRow,
      turn_state: 'running',
      continuations: content.from_kind === 'self' ? agent.continuations + 1 : 0,
    });
    this.limiter.take(spread);
    this.leases.renew(agent.id, turn.id);
    this.changes.turnStarted(turn.id);
    this.changes.agentChanged(agent.id);
    return this.answer(agent, turn, leased, false);
  }

  /** The live turn once more: its first grant was lost (P7). What it holds was handed out before, and says so. */
  startAgain(agent: Agent, turn: LiveTurn, run: string): PollAnswer {
    this.turns.update(turn, { run });
    const held = this.rows.leasedTo(agent.id).filter((row) => row.turn === turn.id);
    const inOrder = held.toSorted(
      (a, b) => Number(b.message === turn.wake) - Number(a.message === turn.wake),
    );
    const leased = inOrder.map((row) => this.deliveries.lease(row, { turn: turn.id }, true));
    this.leases.renew(agent.id, turn.id);
    return this.answer(agent, turn, leased, true);
  }

  private answer(
    agent: Agent,
    turn: LiveTurn,
    leased: readonly DeliveryRecord[],
    again: boolean,
  ): PollAnswer {
    const now = this.clock.now();
    const messages: Message[] = [];
    const contexts: TurnGrant['contexts'] = {};
    for (const row of leased) {
      const content = this.messages.find(row.message);
      if (!content) continue;
      const redelivered = row.hand_outs > 1;
      messages.push(
        toMessage(
          content,
          { to: agent.name, priority: row.priority, redelivered, attempts: row.attempts },
          now,
        ),
      );
      const context = this.contextOf(content, agent);
      if (context) contexts[formatId('m', content.id)] = context;
    }
    return {
      turn: {
        turn_id: formatId('t', turn.id),
        again,
        wake_reason: turn.wake_reason,
        messages,
        contexts,
        pending: this.counts.pending(agent.id),
        lease_seconds: LIMITS.lease_seconds,
        hop: turn.hop,
      },
      commands: this.commands.take(agent.id),
    };
  }

  /** The message that this one answers, where the agent is part of it (P34). */
  private contextOf(
    content: MessageRecord,
    agent: Agent,
  ): TurnGrant['contexts'][string] | undefined {
    const parent =
      content.in_reply_to === null ? undefined : this.messages.find(content.in_reply_to);
    if (!parent || !this.messages.isPartOf(parent, agent.id)) return undefined;
    return { id: formatId('m', parent.id), from: parent.from_name, body: parent.body };
  }
}

function reasonOf(content: MessageRecord): WakeReason {
  if (content.from_kind === 'self') return 'continuation';
  if (content.from_kind === 'external') return 'manual';
  if (content.kind === 'reminder') return 'reminder';
  return content.kind === 'event' || content.from_kind === 'system' ? 'system' : 'message';
}
