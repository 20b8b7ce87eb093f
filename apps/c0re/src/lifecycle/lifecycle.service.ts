import { Inject, Injectable } from '@nestjs/common';

import { formatId, HiveError, type ManagerEvent } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { AgentRepository } from '../agents/agent.repository.js';
import { ApprovalRepository } from '../approvals/approval.repository.js';
import type { ContainerDriver } from '../containers/container-driver.js';
import { Deployer } from '../deploys/deployer.service.js';
import { AgentFolders } from '../folders/agent-folders.service.js';
import { ManagerNews } from '../manager/manager-news.repository.js';
import {
  OperationRepository,
  type AgentOperationKind,
  type Operation,
} from '../operations/operation.repository.js';
import { RegistryPush } from '../registry/registry-push.service.js';
import { restartText } from '../restarts/restart-text.js';
import { RestartWindows } from '../restarts/restart-windows.service.js';
import { CLOCK, CONTAINER_DRIVER, LOGGER } from '../settings/tokens.js';
import { AgentLocks } from './agent-locks.js';
import { AgentMaker } from './agent-maker.service.js';
import { AgentPurger } from './agent-purger.service.js';
import { AgentRunner } from './agent-runner.service.js';
import { failureText } from './failure-text.js';
import { LifeSteps } from './steps.js';

/** An operation of one agent. */
export type AgentOperation = Operation & { kind: AgentOperationKind; agent_id: number };

/** What the manager hears when an operation is done (PRODUCT 4.10). */
const NEWS: Partial<Record<AgentOperationKind, ManagerEvent>> = {
  spawn: 'spawned',
  rebuild: 'rebuilt',
  stop: 'stopped',
  destroy: 'destroyed',
};

/** The verbs of PRODUCT 4.1. Each can be done again after a crash in the middle of it. */
@Injectable()
export class Lifecycle {
  constructor(
    private readonly agents: AgentRepository,
    private readonly folders: AgentFolders,
    private readonly operations: OperationRepository,
    private readonly approvals: ApprovalRepository,
    private readonly maker: AgentMaker,
    private readonly purger: AgentPurger,
    private readonly runner: AgentRunner,
    private readonly locks: AgentLocks,
    private readonly deployer: Deployer,
    private readonly registry: RegistryPush,
    private readonly windows: RestartWindows,
    private readonly news: ManagerNews,
    private readonly steps: LifeSteps,
    @Inject(CONTAINER_DRIVER) private readonly driver: ContainerDriver,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Does what the operation asks for; the broker knows of it afterwards, when it is there. */
  async carryOut(operation: AgentOperation): Promise<void> {
    const { id, kind, agent_id } = operation;
    await this.locks.run(agent_id, async () => {
      this.steps.reached('begun', agent_id);
      switch (kind) {
        case 'spawn':
        case 'start':
        case 'revive':
          await this.start(agent_id);
          break;
        case 'restart':
        case 'rebuild':
          await this.startAnew(operation);
          break;
        case 'stop':
          await this.runner.end(agent_id);
          break;
        case 'deploy':
          await this.deployer.carryOut(id);
          break;
        case 'destroy':
          await this.destroy(agent_id);
          break;
        case 'purge':
          await this.purger.purge(agent_id);
          break;
      }
    });
    await this.registry.settled();
  }

  /** Has the manager told that the operation is done; the spawn of an approval is told with that one. */
  tellManager({ id, kind, agent_id, asked_by }: AgentOperation): void {
    const event = NEWS[kind];
    const { name, role } = this.agents.get(agent_id);
    if (event === undefined || role === 'manager' || this.approvals.ofOperation(id)) return;
    this.news.add(
      event,
      `${name} was ${event} (operation ${formatId('o', id)}, asked for by ${asked_by})`,
    );
  }

  /** Ends every container at once but keeps what is wanted for the next start. Returns how many there were. */
  async stopAll(): Promise<number> {
    this.runner.halt();
    await this.locks.idle();
    const ids = this.runner.runningIds();
    const ends = await Promise.allSettled(
      ids.map((id) => this.locks.run(id, () => this.runner.end(id))),
    );
    const failures = ends.filter((end) => end.status === 'rejected');
    for (const { reason } of failures) {
      this.logger.error({ err: reason as unknown }, 'an agent could not be stopped');
    }
    if (failures.length > 0) {
      const first = failures[0]?.reason as Error;
      throw new HiveError(
        'conflict',
        `${failures.length} of ${ids.length} agents could not be stopped: ${first.message}`,
      );
    }
    await this.registry.settled();
    return ids.length;
  }

  /** Ends the agent and starts it; what was done before a restart of c0re is not done twice. */
  private async startAnew(operation: AgentOperation): Promise<void> {
    const { id, kind, agent_id, parent } = operation;
    const agent = this.agents.get(agent_id);
    const from = this.operations.begin(id, agent.instance);
    if (agent.instance > from && this.runner.isRunning(agent_id)) return;
    if (parent === null) {
      const window = { operation: formatId('o', id), text: restartText(operation) };
      await this.windows.open({ ...window, agents: [agent_id] });
    }
    this.steps.reached('window-open', agent_id);
    await this.runner.end(agent_id);
    if (kind === 'rebuild') await this.maker.rebuild(agent_id);
    await this.start(agent_id);
  }

  private async start(id: number): Promise<void> {
    try {
      await this.maker.provision(id);
    } catch (error) {
      this.agents.change(id, { state: 'crashed', reason: failureText(error) });
      throw error;
    }
    await this.runner.launch(id);
  }

  private async destroy(id: number): Promise<void> {
    const agent = this.agents.get(id);
    if (agent.destroyedAt !== null) return; // It was done before a restart of c0re; the broker is waited for.
    await this.runner.end(id);
    await this.deployer.withdraw(agent);
    if (agent.container) await this.driver.destroy(this.maker.owner(agent));
    this.steps.reached('container-removed', id);
    if (agent.stage !== 'new') this.folders.removeCredentials(this.folders.paths(agent.folder));
    this.steps.reached('credentials-removed', id);
    this.agents.change(id, {
      state: 'destroyed',
      wanted: 'destroyed',
      destroyedAt: this.clock.now(),
      seed: null,
    });
    this.steps.reached('destroyed', id);
  }
}
