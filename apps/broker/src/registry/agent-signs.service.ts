import { Inject, Injectable } from '@nestjs/common';

import type { AgentSign, BrokerC0reApi } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { CLOCK } from '../broker.options.js';
import { GatewayLinks } from '../links/gateway-links.js';
import { Presence } from '../links/presence.js';
import { LiveTurns } from '../turns/live-turns.js';
import { AgentDirectory } from './agent-directory.service.js';

/** What c0re watches its harnesses by: their signs of life, turns and logins (PRODUCT 4.8, 4.9, 8.6). */
@Injectable()
export class AgentSigns {
  private linkedAt: number | undefined;

  constructor(
    private readonly directory: AgentDirectory,
    private readonly turns: LiveTurns,
    private readonly presence: Presence,
    private readonly links: GatewayLinks,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    links.whenConnected(() => {
      this.linkedAt ??= clock.monotonic();
    });
    links.whenLost(() => {
      if (links.size === 0) this.linkedAt = undefined;
    });
  }

  signs(): BrokerC0reApi['agent_signs'][1] {
    const { linkedAt } = this;
    const isLinked = linkedAt !== undefined && this.links.size > 0;
    return {
      watched_ms: isLinked ? Math.floor(this.clock.monotonic() - linkedAt) : 0,
      agents: [...this.directory.all()].map((agent): AgentSign => {
        const seenAt = this.presence.seenAt(agent.id);
        return {
          agent_id: String(agent.id),
          instance: agent.hello_instance,
          turn_state: agent.turn_state,
          turn: this.turns.of(agent.id) !== undefined,
          is_heard: seenAt !== null,
          hyperhive_rev: agent.hyperhive_rev,
        };
      }),
    };
  }
}
