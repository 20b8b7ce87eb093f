import { Inject, Injectable } from '@nestjs/common';

import {
  formatId,
  HiveError,
  parseId,
  type EndAnswer,
  type EndRequest,
  type ResultKind,
  type TurnState,
} from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { DeliveriesRepository } from '../deliveries/deliveries.repository.js';
import { Deliveries } from '../deliveries/deliveries.service.js';
import type { DeliveryRecord, GiveBack } from '../deliveries/delivery.js';
import { WaitingReceivers } from '../deliveries/waiting-receivers.js';
import { WakeList } from '../deliveries/wake-list.js';
import { MessagesRepository } from '../messages/messages.repository.js';
import { OutgoingMessages } from '../messages/outgoing.service.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import type { Agent, RuntimeColumns } from '../registry/agent.js';
import { turnIsOver } from '../registry/credentials.service.js';
import { backOffMs, crashBackOffMs } from './back-off.js';
import { Commands } from './commands.service.js';
import { LeaseTimes } from './lease-times.js';
import { LiveTurns } from './live-turns.js';
import { RunFences } from './run-fences.js';
import type { LiveTurn, TurnRecord } from './turn.js';
import { TurnsRepository } from './turns.repository.js';
import { WaitingPolls } from './waiting-polls.js';
import { UNTIL_RELEASED } from './wake-rules.service.js';

/** Results that count against the message that woke the turn (P13); the others happen to the agent. */
const OWN_FAILURES: ReadonlySet<ResultKind> = new Set(['failed', 'timed_out', 'prompt_too_long']);
/** Results after which the agent does not start a turn for a while, with the state that it shows. */
const PARKING: Partial<Record<ResultKind, TurnState>> = {
  rate_limited: 'rate_limited',
  auth_failed: 'needs_login',
  budget: 'held',
};
/** Body of the message by which an agent goes on by itself. */
const CONTINUATION = 'You asked for another turn. Go on with your work.';

interface Outcome {
  by: 'harness' | 'broker';
  kind: ResultKind;
  note: string;
  /** Messages that reached the CLI; null: what the gateway wrote whole (P1). */
  shown: readonly string[] | null;
  telemetry: string | null;
}

/** Ends turns: acks what was shown, gives the rest back, once per turn (P1, P6, P13, P17). Inside a request. */
@Injectable()
export class TurnEnds {
  constructor(
    private readonly directory: AgentDirectory,
    private readonly turns: LiveTurns,
    private readonly turnRows: TurnsRepository,
    private readonly deliveries: Deliveries,
    private readonly rows: DeliveriesRepository,
    private readonly messages: MessagesRepository,
    private readonly outgoing: OutgoingMessages,
    private readonly receivers: WaitingReceivers,
    private readonly polls: WaitingPolls,
    private readonly commands: Commands,
    private readonly leases: LeaseTimes,
    private readonly fences: RunFences,
    private readonly changes: ChangeLog,
    private readonly wakes: WakeList,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The result that a harness reports. The first per turn wins; one for a turn the broker had ended comes late. */
  report(agent: Agent, turnId: string, end: EndRequest): EndAnswer {
    const id = parseId('t', turnId);
    const turn = id === undefined ? undefined : this.turnRows.find(id);
    if (!turn || turn.agent !== agent.id) return { outcome: 'unknown', acked: [], returned: [] };
    const live = this.turns.of(agent.id);
    if (live?.id === turn.id) {
      return {
        outcome: 'accepted',
        ...this.finish(agent, live, {
          by: 'harness',
          kind: end.result_kind,
          note: end.note,
          shown: end.shown,
          telemetry: JSON.stringify(end.telemetry),
        }),
      };
    }
    if (turn.ended_by === 'broker') return this.late(agent, turn, end);
    const outcome = turn.ended_by === 'late' ? 'superseded' : 'repeated';
    return { outcome, acked: wireIds(turn.acked), returned: wireIds(turn.returned) };
  }

  /**
   * The harness of a live turn is lost. Its run is revoked, and nothing is leased to the agent until the gateways have
   * closed it. Returns how many deliveries went back.
   */
  lose(turn: LiveTurn, note: string): number {
    const agent = this.directory.byId(turn.agent);
    if (!agent) return 0;
    const { returned } = this.finish(agent, turn, {
      by: 'broker',
      kind: 'failed',
      note,
      shown: [],
      telemetry: null,
    });
    this.revokeRuns(agent);
    return returned.length;
  }

  /** Revokes every run of the agent and has the gateways close them. */
  revokeRuns(agent: Agent): void {
    for (const run of this.turnRows.revoke(agent.id, this.clock.now()))
      this.fences.raise(agent.id, run);
  }

  private finish(
    agent: Agent,
    turn: LiveTurn,
    outcome: Outcome,
  ): { acked: string[]; returned: string[] } {
    const held = this.rows.leasedTo(agent.id).filter((row) => row.turn === turn.id);
    const ok = outcome.kind === 'ok';
    const cancelled = turn.cancel > 0 && !ok;
    const isShown = shownTest(outcome.shown);
    const acked: number[] = [];
    const returned: number[] = [];
    for (const row of held) {
      if (ok && isShown(row)) {
        this.deliveries.ack(row);
        acked.push(row.message);
      } else if (cancelled && turn.cancel === 2) {
        this.deliveries.cancel(row, 'discarded by the operator');
      } else {
        this.deliveries.giveBack(row, this.returnOf(row, turn, outcome, cancelled));
        returned.push(row.message);
      }
    }
    const end = { acked, returned, note: outcome.note, telemetry: outcome.telemetry };
    this.turns.end(turn, {
      ...end,
      ended_at: this.clock.now(),
      ended_by: outcome.by,
      result_kind: outcome.kind,
    });
    this.close(agent, turn);
    if (ok && turn.next_turn === 1) this.goOn(agent, turn);
    this.directory.update(agent, this.agentAfter(agent, outcome.kind, cancelled));
    return {
      acked: acked.map((id) => formatId('m', id)),
      returned: returned.map((id) => formatId('m', id)),
    };
  }

  private returnOf(
    row: DeliveryRecord,
    turn: LiveTurn,
    { by, kind, note }: Outcome,
    cancelled: boolean,
  ): GiveBack {
    if (cancelled) return { held: true, note };
    if (row.message !== turn.wake) return { note };
    const failed = by === 'harness' && OWN_FAILURES.has(kind);
    const wait = failed
      ? backOffMs(row.attempts + 1)
      : crashBackOffMs(row.hand_outs - row.forgiven);
    return { failed, note, notBefore: wait === 0 ? 0 : this.clock.now() + wait };
  }

  private agentAfter(agent: Agent, kind: ResultKind, cancelled: boolean): Partial<RuntimeColumns> {
    if (kind === 'ok') {
      const wake_through = this.messages.lastId();
      return { turn_state: 'idle', wake_through, parked_until: 0, park_streak: 0 };
    }
    const parked = PARKING[kind];
    if (parked === undefined) return { turn_state: cancelled ? 'held' : 'idle' };
    const park_streak = agent.park_streak + 1;
    const parked_until =
      kind === 'budget' ? UNTIL_RELEASED : this.clock.now() + backOffMs(park_streak);
    return { turn_state: parked, parked_until, park_streak };
  }

  /** Ends what waits on the turn; first of all its calls, so that nothing is leased to it any more (EXECUTIONS H17). */
  private close(agent: Agent, turn: LiveTurn): void {
    this.receivers.refuse(agent.id, (receiver) => receiver.turn === turn.id, turnIsOver);
    this.polls.refuseHeartbeat(agent.id, turn.id, () => turnEnded(turn.id));
    this.commands.endTurn(agent.id, turn.id);
    this.leases.drop(agent.id);
    this.changes.turnEnded(turn.id);
    this.changes.agentChanged(agent.id);
    this.wakes.add(agent.id);
  }

  private goOn(agent: Agent, turn: LiveTurn): void {
    this.outgoing.store({
      sender: { id: agent.id, name: 'self', kind: 'self', allowedRecipients: [], turn },
      recipient: { id: agent.id, name: agent.name, limited: false },
      body: CONTINUATION,
      hop: turn.hop,
    });
  }

  /** The turn had been ended by the broker: what it held and nobody has since is acked, nothing else changes (P6). */
  private late(agent: Agent, turn: TurnRecord, end: EndRequest): EndAnswer {
    const acked: number[] = [];
    if (end.result_kind === 'ok') {
      const isShown = shownTest(end.shown);
      for (const message of JSON.parse(turn.returned ?? '[]') as number[]) {
        const row = this.rows.restingSince(message, agent.id, turn.id);
        if (!row || !isShown(row)) continue;
        this.deliveries.ack(row);
        acked.push(message);
      }
    }
    const returned = (JSON.parse(turn.returned ?? '[]') as number[]).filter(
      (message) => !acked.includes(message),
    );
    this.turnRows.end(turn.id, {
      ended_at: turn.ended_at ?? this.clock.now(),
      ended_by: 'late',
      result_kind: end.result_kind,
      note: end.note,
      acked,
      returned,
      telemetry: JSON.stringify(end.telemetry),
    });
    this.changes.turnEnded(turn.id);
    return {
      outcome: 'superseded',
      acked: acked.map((id) => formatId('m', id)),
      returned: returned.map((id) => formatId('m', id)),
    };
  }
}

/** The refusal of a call of a harness for a turn that is over. */
export function turnEnded(turn: number): HiveError {
  return new HiveError(
    'superseded',
    `turn ${formatId('t', turn)} is over: stop its CLI, report its end, then ask for the next turn`,
  );
}

function shownTest(shown: readonly string[] | null): (row: DeliveryRecord) => boolean {
  if (shown === null) return (row) => row.written === 1;
  const ids = new Set(shown.map((id) => parseId('m', id)));
  return (row) => ids.has(row.message);
}

function wireIds(json: string | null): string[] {
  return (JSON.parse(json ?? '[]') as number[]).map((id) => formatId('m', id));
}
