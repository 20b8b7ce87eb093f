import { Injectable } from '@nestjs/common';

import { HiveError, MANAGER } from '#libs/protocol';

import type { Agent } from '../agents/agent.entity.js';
import { AgentRepository } from '../agents/agent.repository.js';
import { RegistryPush } from '../registry/registry-push.service.js';
import { hashOf } from './credential.hash.js';

/**
 * With which tokens the manager may act: its own, which c0re made, and those of its runs, of which only the broker knows
 * whether they are live (P2). The gateway's word is not asked for.
 */
@Injectable()
export class ManagerCredentials {
  constructor(
    private readonly agents: AgentRepository,
    private readonly registry: RegistryPush,
  ) {}

  /** The living manager's name. Throws `unauthorized`, `forbidden` for another agent, `superseded` for a run that is over. */
  async require(token: string | undefined): Promise<string> {
    if (token === undefined) {
      throw new HiveError('unauthorized', 'send the manager\'s token as "Authorization: Bearer"');
    }
    const hash = hashOf(token);
    const own = this.agents.living().find(({ tokenHash }) => tokenHash === hash);
    if (own) return asManager(own);
    const { agent_id } = await this.registry.identify(hash);
    const agent = this.agents.find(Number(agent_id));
    if (!agent || agent.destroyedAt !== null) {
      throw new HiveError('unauthorized', 'the token is not one of a living agent');
    }
    return asManager(agent);
  }
}

function asManager({ role, name }: Agent): string {
  if (role === MANAGER) return name;
  throw new HiveError('forbidden', 'only the manager may ask for this');
}
