import { Inject, Injectable } from '@nestjs/common';

import { HiveError, isoTime, LIMITS, type BrokerGatewayApi, type PeerRow } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { BROKER_OPTIONS, CLOCK, type BrokerOptions } from '../broker.options.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import { Writer } from '../storage/writer.service.js';
import { LiveTurns } from '../turns/live-turns.js';
import { AgentDirectory } from './agent-directory.service.js';
import { Credentials } from './credentials.service.js';

/** What an agent may know of itself and of its peers, and say of itself. */
@Injectable()
export class AgentInfo {
  private readonly startedAt: string;

  constructor(
    private readonly writer: Writer,
    private readonly credentials: Credentials,
    private readonly directory: AgentDirectory,
    private readonly turns: LiveTurns,
    private readonly changes: ChangeLog,
    @Inject(BROKER_OPTIONS) private readonly options: BrokerOptions,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.startedAt = isoTime(clock.now());
  }

  /** Model, driver, revision and start come from the harness' hello; a bare client has only the registry's and the hive's. */
  whoami(credential: string): BrokerGatewayApi['whoami'][1] {
    const { agent } = this.credentials.caller(credential);
    return {
      name: agent.name,
      role: agent.role,
      model: agent.live_model ?? agent.model,
      driver: agent.live_driver ?? agent.driver,
      hyperhive_rev: agent.hyperhive_rev ?? this.options.rev ?? 'unknown',
      started_at: agent.harness_started_at ?? this.startedAt,
    };
  }

  peers(credential: string): { agents: PeerRow[] } {
    this.credentials.caller(credential);
    return {
      agents: [...this.directory.all()].map((agent) => ({
        name: agent.name,
        role: agent.role,
        state: agent.state,
        turn_state: agent.turn_state,
        status_text: agent.status_text,
      })),
    };
  }

  async setStatus(credential: string, text: string): Promise<{ status_text: string }> {
    return this.writer.submit(() => {
      const { agent } = this.credentials.caller(credential);
      if (agent.status_text !== text) {
        this.directory.update(agent, { status_text: text });
        this.changes.agentChanged(agent.id);
      }
      return { status_text: text };
    });
  }

  /** Takes effect when the turn ends well (P18). */
  async requestNextTurn(credential: string): Promise<{ note: string }> {
    return this.writer.submit(() => {
      const { agent, turn } = this.credentials.caller(credential);
      if (!turn) {
        throw new HiveError(
          'conflict',
          'you are not in a turn of a harness; there is none to follow it',
        );
      }
      if (agent.continuations >= LIMITS.continuations) {
        throw new HiveError(
          'conflict',
          `${LIMITS.continuations} turns in a row were woken by yourself, that is the limit; finish here, a message of anybody else starts afresh`,
          { limit: LIMITS.continuations },
        );
      }
      if (turn.next_turn === 0) this.turns.update(turn, { next_turn: 1 });
      return { note: 'another turn starts when this one ends well' };
    });
  }

  /** Where the gateway keeps each agent's socket. */
  sockets(): BrokerGatewayApi['agent_sockets'][1] {
    return {
      agents: [...this.directory.all()].map((agent) => ({
        agent_id: String(agent.id),
        name: agent.name,
        run_dir: agent.run_dir,
      })),
    };
  }
}
