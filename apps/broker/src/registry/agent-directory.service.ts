import { Injectable } from '@nestjs/common';

import { HiveError } from '#libs/protocol';

import { Writer } from '../storage/writer.service.js';
import type { Agent, RuntimeColumns } from './agent.js';
import { RegistryRepository } from './registry.repository.js';

/**
 * The agents in memory, equal to their rows at every moment: changed together with them, read again after a rollback.
 * Every check of a request goes by it, so it costs no query.
 */
@Injectable()
export class AgentDirectory {
  private agents = new Map<number, Agent>();
  private living = new Map<string, Agent>();
  private tokens = new Map<string, Agent>();

  constructor(
    private readonly rows: RegistryRepository,
    writer: Writer,
  ) {
    this.reload();
    writer.onRollback(() => this.reload());
  }

  byId(id: number): Agent | undefined {
    return this.agents.get(id);
  }

  /** The living incarnation of a name. */
  byName(name: string): Agent | undefined {
    return this.living.get(name);
  }

  /** The living incarnation of a name, else the last one that had it. */
  byLastName(name: string): Agent | undefined {
    return (
      this.living.get(name) ?? [...this.agents.values()].findLast((agent) => agent.name === name)
    );
  }

  /** Ids of all that ever had the name; throws `not_found` when none had. */
  idsOf(name: string): number[] {
    const named = [...this.agents.values()].filter((agent) => agent.name === name);
    if (named.length > 0) return named.map(({ id }) => id);
    throw new HiveError('not_found', `there is no agent "${name}"`);
  }

  /** The living agent whose long-lived token has this sha-256 (hex). */
  byToken(hash: string): Agent | undefined {
    return this.tokens.get(hash);
  }

  /** All agents that are not destroyed. */
  all(): Iterable<Agent> {
    return this.living.values();
  }

  /** Every incarnation, destroyed ones included. */
  incarnations(): Iterable<Agent> {
    return this.agents.values();
  }

  /** Inside a request: changes columns of the broker's own, in the row and here. */
  update(agent: Agent, changes: Partial<RuntimeColumns>): void {
    this.rows.update(agent.id, changes);
    Object.assign(agent, changes);
  }

  /** Reads every row again; inside a request after the registry changed. */
  reload(): void {
    this.agents = new Map();
    this.living = new Map();
    this.tokens = new Map();
    for (const agent of this.rows.all()) {
      this.agents.set(agent.id, agent);
      if (agent.state === 'destroyed') continue;
      this.living.set(agent.name, agent);
      this.tokens.set(agent.token_hash, agent);
    }
  }
}
