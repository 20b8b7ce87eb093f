import { Inject, Injectable } from '@nestjs/common';

import type { Logger } from '#libs/service';

import type { Agent } from '../agents/agent.entity.js';
import { AgentRepository } from '../agents/agent.repository.js';
import { ApprovalRepository } from '../approvals/approval.repository.js';
import type { ContainerDriver } from '../containers/container-driver.js';
import { OperationRepository } from '../operations/operation.repository.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import { CONTAINER_DRIVER, LOGGER } from '../settings/tokens.js';
import { AgentLocks } from './agent-locks.js';
import { AgentMaker } from './agent-maker.service.js';
import { AgentRunner } from './agent-runner.service.js';

/** Agents that are started at the same time after c0re started: each start keeps a core busy for a moment. */
const AT_A_TIME = 4;

/**
 * What c0re does first: takes over what still runs, ends what it cannot take over, starts what should run (P28). One
 * agent that fails never stops the others.
 */
@Injectable()
export class Recovery {
  constructor(
    private readonly settings: C0reSettings,
    private readonly agents: AgentRepository,
    private readonly operations: OperationRepository,
    private readonly approvals: ApprovalRepository,
    private readonly maker: AgentMaker,
    private readonly runner: AgentRunner,
    private readonly locks: AgentLocks,
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
          this.agents.change(agent.id, {
            state: agent.wanted === 'running' ? 'starting' : 'stopped',
            reason: '',
          });
        }
      } catch (error) {
        this.logger.error({ err: error, agent: agent.name }, 'an agent could not be adopted');
      }
    }
  }

  /** Brings every agent to what is wanted of it, the manager first. */
  async restore(): Promise<void> {
    await this.eachOf(await this.strays(), (id) => this.endStray(id));
    const agents = this.agents.living().filter((agent) => agent.stage === 'provisioned');
    const [managers, others] = [
      agents.filter((agent) => agent.role === 'manager'),
      agents.filter((agent) => agent.role !== 'manager'),
    ];
    await this.eachOf(managers, (agent) => this.restoreOne(agent));
    await this.eachOf(others, (agent) => this.restoreOne(agent));
  }

  private async restoreOne({ id }: Agent): Promise<void> {
    await this.locks.run(id, async () => {
      const agent = this.agents.get(id);
      // Its deploy was cut off in the middle and brings it to its end itself.
      if (this.approvals.switching(id)) return;
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

  private async eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    const left = items.values();
    const worker = async () => {
      // All workers take from the one iterator.
      for (const item of left) {
        try {
          await work(item);
        } catch (error) {
          this.logger.error({ err: error }, 'an agent could not be restored');
        }
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  }
}
