import { rmSync } from 'node:fs';

import { Inject, Injectable } from '@nestjs/common';

import type { Clock } from '#libs/service';

import { AgentRepository } from '../agents/agent.repository.js';
import type { ContainerDriver } from '../containers/container-driver.js';
import { AgentFolders } from '../folders/agent-folders.service.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import { CLOCK, CONTAINER_DRIVER } from '../settings/tokens.js';
import { AgentMaker } from './agent-maker.service.js';
import { LifeSteps } from './steps.js';

/** Removes for good what is kept of a destroyed agent; its row stays, for its id is never given again (P25). */
@Injectable()
export class AgentPurger {
  constructor(
    private readonly settings: C0reSettings,
    private readonly agents: AgentRepository,
    private readonly folders: AgentFolders,
    private readonly maker: AgentMaker,
    private readonly steps: LifeSteps,
    @Inject(CONTAINER_DRIVER) private readonly driver: ContainerDriver,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Done again after a crash in the middle it goes on. */
  async purge(id: number): Promise<void> {
    const agent = this.agents.get(id);
    if (agent.purgedAt !== null || agent.destroyedAt === null) return;
    const owner = this.maker.owner(agent);
    if (agent.container) {
      await this.driver.stop(owner, undefined, this.settings.timings);
      await this.driver.destroy(owner);
    }
    this.steps.reached('container-removed', id);
    // Out of everybody's reach first: only root enters the folder that it is moved to.
    let { folder } = agent;
    if (folder === agent.name) {
      folder = this.folders.setAside(agent.name, id);
      this.agents.change(id, { folder });
    }
    this.steps.reached('set-aside', id);
    await this.folders.removeAside(folder);
    this.steps.reached('removed', id);
    if (!this.isNamedBesides(agent.name, id)) {
      rmSync(this.settings.home.log(agent.name), { force: true });
    }
    this.agents.change(id, { purgedAt: this.clock.now() });
    this.steps.reached('purged', id);
  }

  /** Whether the log of that name is another's too. */
  private isNamedBesides(name: string, id: number): boolean {
    const kept = this.agents.tombstones(name).filter((other) => other.id !== id);
    return this.agents.byName(name) !== undefined || kept.length > 0;
  }
}
