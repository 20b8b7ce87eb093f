import { Inject, Injectable } from '@nestjs/common';

import type { CallContext, CallSignal } from '#libs/ipc';
import { HiveError, parseId, type HeartbeatAnswer, type HeartbeatRequest } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { ParkedCall } from '../links/parked-call.js';
import { Presence } from '../links/presence.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import type { Agent } from '../registry/agent.js';
import { Writer } from '../storage/writer.service.js';
import { Commands } from '../turns/commands.service.js';
import { LeaseTimes } from '../turns/lease-times.js';
import { LiveTurns } from '../turns/live-turns.js';
import { turnEnded } from '../turns/turn-ends.service.js';
import type { LiveTurn } from '../turns/turn.js';
import { TurnsRepository } from '../turns/turns.repository.js';
import { WaitingPolls, type WaitingHeartbeat } from '../turns/waiting-polls.js';
import { HarnessIdentity } from './harness-identity.service.js';

export type HeartbeatParams = HeartbeatRequest & { credential: string; turn_id: string };

/** `heartbeat`: keeps a turn's lease and brings commands (P18). Costs a transaction only when it changes a row. */
@Injectable()
export class HeartbeatService {
  constructor(
    private readonly writer: Writer,
    private readonly identity: HarnessIdentity,
    private readonly directory: AgentDirectory,
    private readonly turns: LiveTurns,
    private readonly turnRows: TurnsRepository,
    private readonly commands: Commands,
    private readonly polls: WaitingPolls,
    private readonly leases: LeaseTimes,
    private readonly presence: Presence,
    private readonly changes: ChangeLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Settles at once when a command waits, else with none after `wait_seconds`. Throws `superseded` when the turn is over. */
  async heartbeat(params: HeartbeatParams, context: CallContext): Promise<HeartbeatAnswer> {
    const { agent, turn } = this.check(params);
    this.presence.heard(agent.id, context.peer);
    this.leases.renew(agent.id, turn.id);
    if (params.confirm.length > 0 || params.turn_state !== agent.turn_state)
      await this.writer.submit(() => this.store(params));
    if (params.wait_seconds === 0 || this.commands.hasNew(agent.id)) return this.answer(agent.id);
    if (context.signal.aborted) throw new HiveError('cancelled', 'the call was cancelled');
    this.check(params);
    return this.park(agent, turn, params, context.signal).answered;
  }

  /** A command was queued for the agent: its waiting heartbeat brings it now. */
  wake(agent: number): void {
    const heartbeat = this.polls.heartbeatOf(agent);
    if (heartbeat && this.commands.hasNew(agent)) this.finish(heartbeat);
  }

  private check({ credential, instance, turn_id }: HeartbeatParams): {
    agent: Agent;
    turn: LiveTurn;
  } {
    const agent = this.identity.current(credential, instance);
    const turn = this.turns.of(agent.id);
    const id = parseId('t', turn_id);
    if (turn && turn.id === id) return { agent, turn };
    const ended = id === undefined ? undefined : this.turnRows.find(id);
    if (ended?.agent === agent.id) throw turnEnded(ended.id);
    throw new HiveError(
      'not_found',
      `there is no turn ${JSON.stringify(turn_id.slice(0, 40))} of yours`,
    );
  }

  private store(params: HeartbeatParams): void {
    const { agent } = this.check(params);
    this.commands.confirm(agent.id, params.confirm);
    if (params.turn_state === agent.turn_state) return;
    this.directory.update(agent, { turn_state: params.turn_state });
    this.changes.agentChanged(agent.id);
  }

  private park(
    agent: Agent,
    turn: LiveTurn,
    params: HeartbeatParams,
    signal: CallSignal,
  ): ParkedCall<HeartbeatAnswer> {
    const heartbeat: WaitingHeartbeat = {
      agent: agent.id,
      turn: turn.id,
      call: new ParkedCall<HeartbeatAnswer>({
        clock: this.clock,
        waitMs: params.wait_seconds * 1000,
        signal,
        onGone: () => this.polls.removeHeartbeat(heartbeat),
        onTimeout: () => this.finish(heartbeat),
      }),
    };
    this.polls.addHeartbeat(heartbeat, (older) => this.finish(older));
    return heartbeat.call;
  }

  private finish(heartbeat: WaitingHeartbeat): void {
    this.polls.removeHeartbeat(heartbeat);
    heartbeat.call.answer(this.answer(heartbeat.agent));
  }

  private answer(agent: number): HeartbeatAnswer {
    return { lease_until: this.leases.leaseUntil(agent), commands: this.commands.take(agent) };
  }
}
