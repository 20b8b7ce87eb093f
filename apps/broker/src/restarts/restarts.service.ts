import { Inject, Injectable } from '@nestjs/common';

import { assertBody, HiveError, isoTime, LIMITS, type BrokerC0reApi } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { CLOCK, LOGGER } from '../broker.options.js';
import { WakeList } from '../deliveries/wake-list.js';
import { OutgoingMessages } from '../messages/outgoing.service.js';
import { SYSTEM_SENDER } from '../messages/sender.js';
import { ChangeLog } from '../outbox/change-log.service.js';
import { AgentDirectory } from '../registry/agent-directory.service.js';
import type { Agent } from '../registry/agent.js';
import { Writer } from '../storage/writer.service.js';
import { LeaseTimes } from '../turns/lease-times.js';
import { Sweeper } from '../turns/sweeper.service.js';
import { OpenWindows } from './open-windows.js';
import { RestartWindowsRepository } from './restart-windows.repository.js';

const WINDOW_MS = LIMITS.restart_window_seconds * 1000;

type Opening = BrokerC0reApi['open_restart_window'];

/**
 * Planned restarts (P24): while one is under way nothing is granted to its agents and no lease of theirs ends, so nothing
 * is done twice for it. It ends for each when its new harness says hello, and for all when its time is over.
 */
@Injectable()
export class Restarts {
  constructor(
    private readonly writer: Writer,
    private readonly directory: AgentDirectory,
    private readonly rows: RestartWindowsRepository,
    private readonly windows: OpenWindows,
    private readonly outgoing: OutgoingMessages,
    private readonly leases: LeaseTimes,
    private readonly changes: ChangeLog,
    private readonly wakes: WakeList,
    sweeper: Sweeper,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    sweeper.onTick(() => this.sweep());
  }

  /** Repeated for the same operation it changes nothing. */
  async open({ operation, agents, text, instances = {} }: Opening[0]): Promise<Opening[1]> {
    return this.writer.submit(() => {
      if (text !== undefined) assertBody(text);
      const found = agents.map((id) => this.agent(id));
      const known = this.windows.all().find((window) => window.operation === operation);
      const until = known?.until ?? this.clock.now() + WINDOW_MS;
      for (const agent of known ? [] : found) {
        const before = instances[String(agent.id)];
        if (before !== undefined && agent.hello_instance > before) {
          if (text !== undefined) this.tell(agent, operation, text);
          continue;
        }
        this.rows.add({ agent: agent.id, operation, until, text: text ?? null });
        this.changes.agentChanged(agent.id);
      }
      this.windows.reload();
      return { until: isoTime(until), agents: found.map(({ id }) => String(id)) };
    });
  }

  /** Whom the operation's window is still open for. */
  openFor(operation: string): { agents: string[] } {
    const open = this.windows.all().filter((window) => window.operation === operation);
    return { agents: open.map(({ agent }) => String(agent)) };
  }

  /** What is left of the operation's window ends. */
  async close(operation: string): Promise<{ closed: number }> {
    return this.writer.submit(() => {
      const open = this.windows.all().filter((window) => window.operation === operation);
      const closed = this.rows.removeOperation(operation);
      this.end(open.map(({ agent }) => agent));
      return { closed };
    });
  }

  /** Inside the hello of a new instance: its restart is over, and it is told once. */
  arrived(agent: Agent): void {
    const open = this.windows.of(agent.id);
    if (open.length === 0) return;
    for (const { operation, text } of open) if (text !== null) this.tell(agent, operation, text);
    this.rows.removeOf(agent.id);
    this.end([agent.id]);
  }

  private tell(agent: Agent, operation: string, text: string): void {
    if (this.rows.needsNoWake(agent.id, operation)) return;
    const { id } = this.outgoing.store({
      sender: SYSTEM_SENDER,
      recipient: { id: agent.id, name: agent.name, limited: false },
      kind: 'event',
      event: 'restarted',
      body: text,
    });
    this.rows.addWake(agent.id, operation, id);
  }

  private sweep(): void {
    const now = this.clock.now();
    // Further off than a window lasts: the wall clock jumped back since.
    const over = this.windows.all().filter(({ until }) => until <= now || until > now + WINDOW_MS);
    if (over.length === 0) return;
    this.writer
      .submit(() => {
        for (const { operation } of over) this.rows.removeOperation(operation);
        this.end(over.map(({ agent }) => agent));
      })
      .catch((error: unknown) => {
        this.logger.error({ err: error }, 'a restart window did not end; the next sweep tries');
      });
  }

  /** Leases begin a full term, and what waited is looked at. */
  private end(agents: readonly number[]): void {
    this.windows.reload();
    for (const agent of agents) {
      this.leases.fullTermOf(agent);
      this.changes.agentChanged(agent);
      this.wakes.add(agent);
    }
  }

  private agent(id: string): Agent {
    const agent = this.directory.byId(Number(id));
    if (agent && agent.state !== 'destroyed') return agent;
    throw new HiveError('not_found', `there is no living agent ${id}; no window was opened`);
  }
}
