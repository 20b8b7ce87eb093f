import { Injectable } from '@nestjs/common';

import { HiveError, type NewHiveEvent, type TombstoneRow } from '#libs/protocol';

import { toTombstone, type Agent } from '../agents/agent.entity.js';
import { AgentRepository } from '../agents/agent.repository.js';
import { RegistryPush, type Feed } from '../registry/registry-push.service.js';

const PER_CALL = 100;

/** Destroyed agents whose state is kept; each change of the list is published, and each purge told, exactly once. */
@Injectable()
export class Tombstones {
  constructor(
    private readonly agents: AgentRepository,
    registry: RegistryPush,
  ) {
    registry.addFeed((call) => this.catchUp(call));
  }

  /** The last destroyed first. */
  list(): TombstoneRow[] {
    return this.agents.tombstones().flatMap((agent) => toTombstone(agent) ?? []);
  }

  /** The one of that name and id, or the one that was destroyed last. Throws `not_found`, `conflict` while it lives. */
  find(name: string, agentId?: string): Agent {
    const kept = this.agents.tombstones(name);
    const found = agentId === undefined ? kept[0] : kept.find(({ id }) => String(id) === agentId);
    if (found) return found;
    const living = this.agents.byName(name);
    if (living && (agentId === undefined || agentId === String(living.id))) {
      throw new HiveError('conflict', `"${name}" lives; destroy it first`);
    }
    throw new HiveError('not_found', `nothing is kept of a destroyed agent named "${name}"`);
  }

  private async catchUp(call: Parameters<Feed>[0]): Promise<void> {
    for (const { id, tokenHash } of this.agents.withUnreportedPurge()) {
      try {
        if (tokenHash !== null) await call('purge_agent', { agent_id: String(id) });
      } catch (error) {
        if (!(error instanceof HiveError) || error.code !== 'not_found') throw error;
      }
      this.agents.markPurgeReported(id);
    }
    for (;;) {
      const batch = this.agents.withUnpublishedTombstone(PER_CALL);
      if (batch.length === 0) return;
      await call('publish', { events: batch.map(toEvent) });
      this.agents.markTombstonesPublished(batch);
    }
  }
}

function toEvent(agent: Agent): NewHiveEvent {
  const tombstone = toTombstone(agent);
  if (tombstone) return { kind: 'tombstone_added', tombstone };
  const { id, name, tombstoneVersion } = agent;
  return { kind: 'tombstone_removed', agent_id: String(id), name, version: tombstoneVersion };
}
