import { Inject, Injectable } from '@nestjs/common';

import { HiveError } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { AgentRepository } from '../agents/agent.repository.js';
import type { ContainerDriver } from '../containers/container-driver.js';
import { Deployer } from '../deploys/deployer.service.js';
import { AgentFolders } from '../folders/agent-folders.service.js';
import type { Operation } from '../operations/operation.repository.js';
import { RegistryPush } from '../registry/registry-push.service.js';
import { CLOCK, CONTAINER_DRIVER, LOGGER } from '../settings/tokens.js';
import { AgentLocks } from './agent-locks.js';
import { AgentMaker } from './agent-maker.service.js';
import { AgentRunner } from './agent-runner.service.js';
import { failureText } from './failure-text.js';

/** The verbs of PRODUCT 4.1. Each can be done again after a crash in the middle of it. */
@Injectable()
export class Lifecycle {
  constructor(
    private readonly agents: AgentRepository,
    private readonly folders: AgentFolders,
    private readonly maker: AgentMaker,
    private readonly runner: AgentRunner,
    private readonly locks: AgentLocks,
    private readonly deployer: Deployer,
    private readonly registry: RegistryPush,
    @Inject(CONTAINER_DRIVER) private readonly driver: ContainerDriver,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Does what the operation asks for; the broker knows of it afterwards, when it is there. */
  async carryOut({
    id,
    kind,
    agent_id,
  }: Pick<Operation, 'id' | 'kind' | 'agent_id'>): Promise<void> {
    await this.locks.run(agent_id, async () => {
      switch (kind) {
        case 'spawn':
        case 'start':
          await this.start(agent_id);
          break;
        case 'restart':
          await this.runner.end(agent_id);
          await this.start(agent_id);
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
      }
    });
    await this.registry.settled();
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
    if (agent.stage !== 'new') this.folders.removeCredentials(this.folders.paths(agent.folder));
    this.agents.change(id, {
      state: 'destroyed',
      wanted: 'destroyed',
      destroyedAt: this.clock.now(),
      seed: null,
    });
  }
}
