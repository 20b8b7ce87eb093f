import { Injectable } from '@nestjs/common';

import type { RpcPeer } from '#libs/ipc';
import type { HelloAnswer, HelloRequest } from '#libs/protocol';

import { Presence } from '../links/presence.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import type { Agent } from '../registry/agent.js';
import { Restarts } from '../restarts/restarts.service.js';
import { Writer } from '../storage/writer.service.js';
import { Commands } from '../turns/commands.service.js';
import { LiveTurns } from '../turns/live-turns.js';
import { RunFences } from '../turns/run-fences.js';
import { TurnEnds } from '../turns/turn-ends.service.js';
import { WaitingPolls } from '../turns/waiting-polls.js';
import { HarnessIdentity, superseded } from './harness-identity.service.js';

/** `hello`: a harness instance takes over its agent. */
@Injectable()
export class HelloService {
  constructor(
    private readonly writer: Writer,
    private readonly identity: HarnessIdentity,
    private readonly directory: AgentDirectory,
    private readonly turns: LiveTurns,
    private readonly ends: TurnEnds,
    private readonly polls: WaitingPolls,
    private readonly fences: RunFences,
    private readonly commands: Commands,
    private readonly presence: Presence,
    private readonly restarts: Restarts,
    private readonly changes: ChangeLog,
  ) {}

  /**
   * Applies the ends that the former instance left, gives back what else its turn held, and answers when no gateway has
   * a call of the old CLI any more. Said again by the same instance it changes nothing.
   */
  async hello(credential: string, request: HelloRequest, peer: RpcPeer): Promise<HelloAnswer> {
    const { agent, answer } = await this.writer.submit(() => {
      const caller = this.identity.newcomer(credential, request.instance);
      this.presence.heard(caller.id, peer);
      const ends = request.ends.map(({ turn_id, end }) => ({
        turn_id,
        answer: this.ends.report(caller, turn_id, end),
      }));
      const returned = this.takeOver(caller, request);
      return { agent: caller, answer: { agent: caller.name, role: caller.role, returned, ends } };
    });
    await this.fences.lifted(agent.id);
    return answer;
  }

  private takeOver(agent: Agent, request: HelloRequest): number {
    if (request.instance === agent.hello_instance) return 0;
    const live = this.turns.of(agent.id);
    const returned = live
      ? this.ends.lose(live, 'harness lost: a new instance took over before the turn was reported')
      : 0;
    if (!live) this.ends.revokeRuns(agent);
    this.polls.refusePoll(agent.id, () => superseded(agent.hello_instance, request.instance));
    this.commands.forgetGiven(agent.id);
    this.directory.update(agent, {
      hello_instance: request.instance,
      live_driver: request.driver,
      live_model: request.model,
      hyperhive_rev: request.hyperhive_rev,
      harness_started_at: request.started_at,
    });
    this.restarts.arrived(agent);
    this.changes.agentChanged(agent.id);
    return returned;
  }
}
