import { Injectable } from '@nestjs/common';

import { registryDigest } from '#libs/ipc';
import { HiveError, type NewHiveEvent, type RegistryAgent } from '#libs/protocol';

import { DeliveriesRepository } from '../deliveries/deliveries.repository.js';
import { Deliveries } from '../deliveries/deliveries.service.js';
import { WaitingReceivers } from '../deliveries/waiting-receivers.js';
import { WakeList } from '../deliveries/wake-list.js';
import { superseded } from '../harness/harness-identity.service.js';
import { GatewayLinks } from '../links/gateway-links.js';
import { Presence } from '../links/presence.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import { Writer } from '../storage/writer.service.js';
import { LiveTurns } from '../turns/live-turns.js';
import { RunFences } from '../turns/run-fences.js';
import { TurnEnds } from '../turns/turn-ends.service.js';
import { WaitingPolls } from '../turns/waiting-polls.js';
import { AgentDirectory } from './agent-directory.service.js';
import { toRegistryAgent, type Agent } from './agent.js';
import { RegistryRepository } from './registry.repository.js';

/** What becomes of an agent, for those who keep something of it. */
type LifeChange = 'destroyed' | 'revived' | 'purged';

/** The broker's copy of c0re's registry (P25, P26), and what follows from a change of it. */
@Injectable()
export class RegistryService {
  private readonly listeners: Record<LifeChange, ((agent: Agent) => void)[]> = {
    destroyed: [],
    revived: [],
    purged: [],
  };

  constructor(
    private readonly writer: Writer,
    private readonly rows: RegistryRepository,
    private readonly directory: AgentDirectory,
    private readonly turns: LiveTurns,
    private readonly ends: TurnEnds,
    private readonly fences: RunFences,
    private readonly deliveries: Deliveries,
    private readonly deliveryRows: DeliveriesRepository,
    private readonly receivers: WaitingReceivers,
    private readonly polls: WaitingPolls,
    private readonly presence: Presence,
    private readonly links: GatewayLinks,
    private readonly changes: ChangeLog,
    private readonly wakes: WakeList,
  ) {}

  /** Registers what runs inside the transaction that destroys an agent, when the registry has changed. */
  onDestroyed(listener: (agent: Agent) => void): void {
    this.listeners.destroyed.push(listener);
  }

  /** The same for a destroyed agent that lives again. */
  onRevived(listener: (agent: Agent) => void): void {
    this.listeners.revived.push(listener);
  }

  /** The same for a destroyed agent of which nothing is kept any more (P25). */
  onPurged(listener: (agent: Agent) => void): void {
    this.listeners.purged.push(listener);
  }

  /** Inside the transaction that purges it. */
  tellPurged(agent: Agent): void {
    for (const listener of this.listeners.purged) listener(agent);
  }

  /** Replaces the copy; living agents that are missing are destroyed. */
  async putAll(revision: number, agents: readonly RegistryAgent[]): Promise<{ revision: number }> {
    const destroyed = await this.writer.submit(() => {
      assertDistinct(agents);
      const kept = new Set(agents.map((agent) => Number(agent.agent_id)));
      const before = this.lives();
      const gone = [...this.directory.all()].filter((agent) => !kept.has(agent.id));
      for (const agent of gone) this.destroy(agent);
      // First those that give up a name or a token, so that another entry may have it.
      for (const agent of agents) if (agent.state === 'destroyed') this.put(agent);
      for (const agent of agents) if (agent.state !== 'destroyed') this.put(agent);
      this.finish(revision, before);
      return gone;
    });
    await Promise.all(destroyed.map((agent) => this.fences.lifted(agent.id)));
    return { revision };
  }

  /** One changed entry; settles when the agent's calls are closed, if it was destroyed. */
  async putOne(revision: number, agent: RegistryAgent): Promise<{ revision: number }> {
    await this.writer.submit(() => {
      const expected = this.rows.revision + 1;
      if (revision !== expected) {
        throw new HiveError(
          'conflict',
          `the broker has revision ${expected - 1} of the registry, not ${revision - 1}: push the whole`,
          { revision: expected - 1 },
        );
      }
      this.assertFree(agent);
      const before = this.lives([Number(agent.agent_id)]);
      this.put(agent);
      this.finish(revision, before);
    });
    await this.fences.lifted(Number(agent.agent_id));
    return { revision };
  }

  revision(): { revision: number; digest: string } {
    const agents = [...this.directory.all()].map(toRegistryAgent);
    return { revision: this.rows.revision, digest: registryDigest(agents) };
  }

  /** The harness process of this instance is gone: its turn ends and what it held goes back at once. */
  async instanceEnded(id: number, instance: number): Promise<{ returned: number }> {
    const returned = await this.writer.submit(() => {
      const agent = this.directory.byId(id);
      if (!agent) throw new HiveError('not_found', `there is no agent ${id}`);
      if (instance <= agent.ended_instance) return 0;
      this.directory.update(agent, { ended_instance: instance });
      if (agent.hello_instance > instance) return 0;
      this.presence.forget(id);
      this.polls.refusePoll(id, () => superseded(instance, instance + 1));
      this.changes.agentChanged(id);
      const live = this.turns.of(id);
      if (live) return this.ends.lose(live, 'harness lost: its process ended');
      this.ends.revokeRuns(agent);
      return 0;
    });
    await this.fences.lifted(id);
    return { returned };
  }

  /** Passes events of c0re's own rows on to the stream. */
  async publish(events: readonly NewHiveEvent[]): Promise<{ published: number }> {
    return this.writer.submit(() => {
      this.changes.publish(events);
      return { published: events.length };
    });
  }

  private put(entry: RegistryAgent): void {
    const known = this.directory.byId(Number(entry.agent_id));
    if (entry.state === 'destroyed' && known && known.state !== 'destroyed') this.destroy(known);
    else if (known && known.token_hash !== entry.token_hash) this.closeBareCalls(known);
    this.rows.put(entry);
    if (entry.state !== 'destroyed') this.changes.agentChanged(Number(entry.agent_id));
    this.wakes.add(Number(entry.agent_id));
  }

  /** Its credentials die and its turn ends; what waits for it rests (P25). */
  private destroy(agent: Agent): void {
    const live = this.turns.of(agent.id);
    if (live) this.ends.lose(live, 'the agent was destroyed');
    else this.ends.revokeRuns(agent);
    this.closeBareCalls(agent);
    for (const row of this.deliveryRows.leasedTo(agent.id)) this.deliveries.giveBack(row);
    this.polls.refusePoll(agent.id, () => agentIsGone(agent));
    this.presence.forget(agent.id);
    this.rows.destroy(agent.id);
    this.changes.agentRemoved(agent.id);
  }

  private closeBareCalls(agent: Agent): void {
    this.receivers.refuse(
      agent.id,
      (receiver) => receiver.turn === null,
      () => agentIsGone(agent),
    );
    this.fences.raise(agent.id, agent.token_hash);
  }

  /** Whether each of these agents (default: all that are known) lives. */
  private lives(ids?: readonly number[]): Map<number, boolean> {
    const agents = ids?.flatMap((id) => this.directory.byId(id) ?? []) ?? [
      ...this.directory.incarnations(),
    ];
    return new Map(agents.map((agent) => [agent.id, agent.state !== 'destroyed']));
  }

  private finish(revision: number, before: ReadonlyMap<number, boolean>): void {
    this.rows.revision = revision;
    this.directory.reload();
    for (const [id, lived] of before) {
      const agent = this.directory.byId(id);
      const lives = agent !== undefined && agent.state !== 'destroyed';
      if (agent && lives !== lived) this.tell(lives ? 'revived' : 'destroyed', agent);
    }
    this.writer.afterCommit(() => this.links.agentsChanged());
  }

  private tell(change: LifeChange, agent: Agent): void {
    this.changes.needsYouChanged();
    for (const listener of this.listeners[change]) listener(agent);
  }

  private assertFree(entry: RegistryAgent): void {
    if (entry.state === 'destroyed') return;
    const id = Number(entry.agent_id);
    const named = this.directory.byName(entry.name);
    const token = this.directory.byToken(entry.token_hash);
    if ((named && named.id !== id) || (token && token.id !== id)) {
      throw new HiveError(
        'conflict',
        `another living agent has the name or the token of agent ${entry.agent_id}: push the whole`,
      );
    }
  }
}

function assertDistinct(agents: readonly RegistryAgent[]): void {
  const living = agents.filter((agent) => agent.state !== 'destroyed');
  if (
    isDistinct(agents.map((agent) => agent.agent_id)) &&
    isDistinct(living.map((agent) => agent.name)) &&
    isDistinct(living.map((agent) => agent.token_hash))
  )
    return;
  throw new HiveError(
    'invalid_request',
    'two entries of the registry have the same id, name or token; nothing was changed',
  );
}

function agentIsGone(agent: Agent): HiveError {
  return new HiveError(
    'unauthorized',
    `the agent "${agent.name}" was destroyed or has a new token`,
  );
}

function isDistinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
