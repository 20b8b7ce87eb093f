import { Inject, Injectable } from '@nestjs/common';

import type { Logger } from '#libs/service';

import type { Agent } from '../agents/agent.entity.js';
import { AgentRepository } from '../agents/agent.repository.js';
import { ApprovalRepository } from '../approvals/approval.repository.js';
import type { ContainerDriver } from '../containers/container-driver.js';
import { C0reDatabase } from '../database/c0re.database.js';
import { OperationRepository } from '../operations/operation.repository.js';
import { eachOf } from '../restarts/hive-restart.service.js';
import { STARTED_TEXT } from '../restarts/restart-text.js';
import { RestartWindows } from '../restarts/restart-windows.service.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import { CONTAINER_DRIVER, LOGGER } from '../settings/tokens.js';
import { AgentLocks } from './agent-locks.js';
import { AgentMaker } from './agent-maker.service.js';
import { AgentRunner } from './agent-runner.service.js';

/**
 * What c0re does first: takes over what still runs, ends what it cannot take over, starts what should run (P28). One
 * agent that fails never stops the others.
 */
@Injectable()
export class Recovery {
  /** Agents whose container c0re's predecessor started, or that never ran, and that do not run now. */
  private readonly gone: Agent[] = [];

  constructor(
    private readonly settings: C0reSettings,
    private readonly agents: AgentRepository,
    private readonly operations: OperationRepository,
    private readonly approvals: ApprovalRepository,
    private readonly maker: AgentMaker,
    private readonly runner: AgentRunner,
    private readonly locks: AgentLocks,
    private readonly windows: RestartWindows,
    private readonly database: C0reDatabase,
    @Inject(CONTAINER_DRIVER) private readonly driver: ContainerDriver,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Takes over every container that still runs; done before any request is served. */
  adopt(): void {
    for (const agent of this.agents.living()) {
      try {
        if (this.runner.adopt(agent)) {
          this.logger.info({ agent: agent.name, instance: agent.instance }, 'harness adopted');
        } else if (agent.container && agent.stage === 'provisioned') {
          this.gone.push(agent);
        }
      } catch (error) {
        this.logger.error({ err: error, agent: agent.name }, 'an agent could not be adopted');
      }
    }
    for (const agent of this.gone) this.noteGone(agent);
  }

  /** Where others ran on, the hive was not killed: what is gone crashed, unless it was being ended. */
  private noteGone({ id, wanted, state, handle }: Agent): void {
    const ranOn = this.runner.runningIds().length > 0;
    if (ranOn && wanted === 'running' && state === 'running' && handle !== null) {
      this.runner.endedUnseen(id);
    }
    this.agents.change(id, { state: wanted === 'running' ? 'starting' : 'stopped', reason: '' });
  }

  /** Brings every agent to what is wanted of it, the manager first. */
  async restore(): Promise<void> {
    await eachOf(await this.strays(), (id) => this.endStray(id));
    const agents = this.agents.living().filter((agent) => agent.stage === 'provisioned');
    const again = agents.filter((agent) => agent.instance > 0 && this.isToStart(agent));
    const operation = `start-${this.starts()}`;
    // Whoever is back before the broker hears of it is told all the same.
    void this.windows.open({ operation, agents: again.map(idOf), text: STARTED_TEXT });
    await eachOf(agents.filter(isManager), async (agent) => {
      await this.restoreSafely(agent);
      if (again.includes(agent)) await this.windows.arrived(operation, agent.id);
    });
    await eachOf(
      agents.filter((agent) => !isManager(agent)),
      (agent) => this.restoreSafely(agent),
    );
  }

  /** Whether it should run, does not, and no operation is about to bring it there. */
  private isToStart({ id, wanted, container }: Agent): boolean {
    if (wanted !== 'running' || !container || this.runner.isRunning(id)) return false;
    return !this.isInHands(id);
  }

  /** Whether an operation was cut off in the middle and goes on with it itself. */
  private isInHands(id: number): boolean {
    const begun = this.operations.open(id).some(({ from_instance }) => from_instance !== null);
    return begun || this.approvals.switching(id) !== undefined;
  }

  /** Number of this start of c0re. */
  private starts(): number {
    const { db } = this.database;
    db.prepare(
      "INSERT INTO meta VALUES ('starts', '1') ON CONFLICT (key) DO UPDATE SET value = value + 1",
    ).run();
    return Number(db.prepare("SELECT value FROM meta WHERE key = 'starts'").pluck().get());
  }

  private async restoreSafely(agent: Agent): Promise<void> {
    try {
      await this.restoreOne(agent);
    } catch (error) {
      this.logger.error({ err: error, agent: agent.name }, 'an agent could not be restored');
    }
  }

  private async restoreOne({ id }: Agent): Promise<void> {
    await this.locks.run(id, async () => {
      const agent = this.agents.get(id);
      if (this.isInHands(id)) return;
      if (agent.wanted === 'running') await this.runner.launch(id);
      // What an operation is still to end, it ends itself.
      if (agent.wanted !== 'stopped' || this.operations.open(id).length > 0) return;
      if (this.runner.isRunning(id) || (await this.hasLeftovers(agent))) await this.runner.end(id);
    });
  }

  private async hasLeftovers(agent: Agent): Promise<boolean> {
    if (!agent.container) return false;
    const pids = await this.driver.inspect(this.maker.owner(agent));
    return pids.length > 0 || agent.endedInstance < agent.instance;
  }

  /** Ids of agents that are unknown or destroyed and of whom something runs. */
  private async strays(): Promise<number[]> {
    const ids = await this.driver.strays();
    return ids.filter((id) => this.agents.find(id)?.destroyedAt !== null);
  }

  private async endStray(id: number): Promise<void> {
    this.logger.warn({ agent_id: id }, 'processes of an agent that does not exist are ended');
    const agent = this.agents.find(id);
    const owner = agent
      ? this.maker.owner(agent)
      : { agentId: id, name: `agent ${id}`, user: undefined };
    await this.driver.stop(owner, undefined, this.settings.timings);
  }
}

function idOf({ id }: Agent): number {
  return id;
}

function isManager({ role }: Agent): boolean {
  return role === 'manager';
}
