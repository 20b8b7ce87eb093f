import { Inject, Injectable } from '@nestjs/common';

import { HiveError } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { AgentRepository } from '../agents/agent.repository.js';
import { RegistryPush, type Feed } from '../registry/registry-push.service.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import { CLOCK, LOGGER } from '../settings/tokens.js';

/** Wait before the broker is asked again, in milliseconds. */
const AGAIN_MS = 200;

export interface WindowOpening {
  /** What the window belongs to, the same after a restart of c0re. */
  operation: string;
  agents: readonly number[];
  /** What each agent is told once it is back. */
  text: string;
}

/** The broker's restart windows (P24) as c0re needs them: with the broker away nothing waits long, and nothing is lost. */
@Injectable()
export class RestartWindows {
  private readonly wanted = new Map<
    string,
    WindowOpening & { instances: Record<string, number> }
  >();

  constructor(
    private readonly settings: C0reSettings,
    private readonly agents: AgentRepository,
    private readonly registry: RegistryPush,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    registry.addFeed((call) => this.openWanted(call));
  }

  /**
   * Opens the window, or has it opened when the broker is back: an agent that said hello by then is told at once.
   * Called before the agents are ended or started.
   */
  async open(opening: WindowOpening): Promise<void> {
    const known = opening.agents
      .map((id) => this.agents.get(id))
      .filter((agent) => agent.container !== null && agent.tokenHash !== null);
    if (known.length === 0) return;
    const instances = Object.fromEntries(known.map(({ id, instance }) => [String(id), instance]));
    const agents = known.map(({ id }) => id);
    this.wanted.set(opening.operation, { ...opening, agents, instances });
    this.registry.kick();
    await this.until(this.settings.timings.brokerMs, () => !this.wanted.has(opening.operation));
  }

  /**
   * Waits until the agent's new harness said hello, which ends its part of the window. False when it did not in time;
   * a broker that is away is not waited for that long.
   */
  async arrived(operation: string, agent: number): Promise<boolean> {
    const { healthyMs, brokerMs } = this.settings.timings;
    const start = this.clock.monotonic();
    let heard = start;
    return this.until(healthyMs, async () => {
      const now = this.clock.monotonic();
      if (this.registry.isConnected) heard = now;
      else if (now - heard >= brokerMs) return true;
      if (this.wanted.has(operation)) return false;
      const { agents } = await this.registry
        .ask('restart_window', { operation })
        .catch(() => ({ agents: [String(agent)] }));
      return !agents.includes(String(agent));
    });
  }

  /** What is left of the window ends. */
  async close(operation: string): Promise<void> {
    this.wanted.delete(operation);
    await this.registry
      .ask('close_restart_window', { operation })
      .catch((error: unknown) =>
        this.logger.info({ err: error, operation }, 'a window ends itself'),
      );
  }

  private async openWanted(call: Parameters<Feed>[0]): Promise<void> {
    for (const [operation, { agents, text, instances }] of this.wanted) {
      try {
        const ids = agents.map(String);
        await call('open_restart_window', { operation, agents: ids, text, instances });
      } catch (error) {
        if (!(error instanceof HiveError) || error.code === 'unavailable') throw error;
        this.logger.error({ err: error, operation }, 'the broker opens no restart window');
      }
      this.wanted.delete(operation);
    }
  }

  /** Whether `done` said so within that time. */
  private async until(ms: number, done: () => boolean | Promise<boolean>): Promise<boolean> {
    const end = this.clock.monotonic() + ms;
    while (!(await done())) {
      if (this.clock.monotonic() >= end) return false;
      await new Promise<void>((resolve) => {
        this.clock.after(Math.min(AGAIN_MS, ms), resolve);
      });
    }
    return true;
  }
}
