import { Inject, Injectable } from '@nestjs/common';

import {
  agentNameProblem,
  HiveError,
  MANAGER,
  type AgentConfig,
  type SpawnBody,
} from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import {
  parseAgentConfig,
  parseAgentYaml,
  type ParsedConfig,
} from '../agent-config/agent-config.parser.js';
import { configFilesProblem } from '../agent-config/config-files.rules.js';
import type { Agent } from '../agents/agent.entity.js';
import { AgentRepository, type NewAgent } from '../agents/agent.repository.js';
import { ApprovalRepository } from '../approvals/approval.repository.js';
import type { ContainerDriver, ContainerOwner } from '../containers/container-driver.js';
import { AgentFolders } from '../folders/agent-folders.service.js';
import { MetaRepository } from '../meta/meta-repository.service.js';
import { hashOf, newSecret } from '../operators/credential.hash.js';
import { ConfigRepositories } from '../repositories/config-repositories.service.js';
import { AgentSecrets } from '../secrets/agent-secrets.service.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import type { AgentPaths } from '../settings/hive-home.js';
import { CLOCK, CONTAINER_DRIVER, LOGGER } from '../settings/tokens.js';
import { LifeSteps } from './steps.js';

/** Makes agents: checks what was asked for, and brings what belongs to an agent onto the disk. */
@Injectable()
export class AgentMaker {
  constructor(
    private readonly settings: C0reSettings,
    private readonly agents: AgentRepository,
    private readonly folders: AgentFolders,
    private readonly repositories: ConfigRepositories,
    private readonly meta: MetaRepository,
    private readonly approvals: ApprovalRepository,
    private readonly secrets: AgentSecrets,
    private readonly steps: LifeSteps,
    @Inject(CONTAINER_DRIVER) private readonly driver: ContainerDriver,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** The row of a new agent. Throws with every problem; nothing is stored here. */
  check({ name, config, yaml, files = {} }: SpawnBody): NewAgent {
    if (config !== undefined && yaml !== undefined) {
      throw new HiveError('invalid_request', 'give config or yaml, not both');
    }
    const parsed: ParsedConfig =
      yaml === undefined ? parseAgentConfig(config ?? {}) : parseAgentYaml(yaml);
    const nameProblem = agentNameProblem(name, parsed.config.role);
    if (nameProblem) throw new HiveError('invalid_name', nameProblem);
    const filesProblem = configFilesProblem(files);
    if (filesProblem) throw new HiveError('invalid_request', filesProblem);
    if (this.agents.byName(name)) {
      throw new HiveError('name_taken', `there is an agent named "${name}" already`);
    }
    this.secrets.resolve(name, parsed.config);
    return {
      name,
      role: parsed.config.role,
      config: parsed.config,
      seed: { ...files, 'agent.yaml': parsed.yaml },
      pinnedSha: null,
      container: this.containerFor(parsed.config),
      slot: this.freeSlot(),
      createdAt: this.clock.now(),
    };
  }

  owner({ id, name, slot }: Agent): ContainerOwner {
    return { agentId: id, name, user: this.settings.agentUser(slot) };
  }

  /** Makes folders, token and repositories of the agent; goes on where a crash left off (PRODUCT 4.1 spawn). */
  async provision(id: number): Promise<void> {
    const agent = this.agents.get(id);
    if (agent.stage === 'provisioned') return;
    if (agent.stage === 'new') this.claim(agent);
    else if (agent.folder !== agent.name) this.bringBack(agent);
    this.steps.reached('claimed', id);
    const owner = this.owner(agent);
    const paths = this.folders.prepare(agent.name, owner.user);
    this.steps.reached('folders-made', id);
    const token = newSecret();
    this.folders.writeToken(paths, token, owner.user);
    this.steps.reached('token-written', id);
    const sha = await this.firstCommit(agent, paths);
    if (agent.container) await this.driver.create(owner);
    this.steps.reached('container-made', id);
    this.agents.change(id, {
      stage: 'provisioned',
      tokenHash: hashOf(token),
      deployedSha: sha,
      seed: null,
    });
    this.steps.reached('provisioned', id);
    this.approvals.forgetPrepared(agent.name);
    await this.giveConfigs();
  }

  /**
   * Gives every proposed repository to the manager's user, so that he can write to it and git reads it as him. One that
   * cannot be given keeps nobody else waiting.
   */
  async giveConfigs(): Promise<void> {
    const owner = this.configOwner();
    const provisioned = this.agents.living().filter(({ stage }) => stage === 'provisioned');
    const folders = [...provisioned.map(({ folder }) => folder), ...this.approvals.prepared()];
    for (const folder of folders) {
      const paths = this.folders.paths(folder);
      try {
        await this.repositories.takeOver(paths);
        await this.repositories.giveTo(paths, owner);
      } catch (error) {
        this.logger.error({ err: error, folder }, 'a config repository could not be given away');
      }
    }
  }

  /** User of the manager, who writes the configs; undefined while there is none. */
  configOwner(self?: Agent): number | undefined {
    const manager =
      self?.role === MANAGER ? self : this.agents.living().find(({ role }) => role === MANAGER);
    return manager && this.settings.agentUser(manager.slot);
  }

  /** Makes anew what belongs to the agent, from what is recorded; it does not run meanwhile (PRODUCT 4.1 rebuild). */
  async rebuild(id: number): Promise<void> {
    const agent = this.agents.get(id);
    if (agent.stage !== 'provisioned') {
      await this.provision(id);
      return;
    }
    const owner = this.owner(agent);
    const paths = this.folders.prepare(agent.folder, owner.user);
    if (!this.folders.holdsToken(paths, agent.tokenHash)) {
      const token = newSecret();
      this.folders.writeToken(paths, token, owner.user);
      this.agents.change(id, { tokenHash: hashOf(token) });
    }
    if (agent.deployedSha !== null) await this.repositories.writeDeployed(paths, agent.deployedSha);
    if (!agent.container) return;
    await this.driver.destroy(owner);
    this.steps.reached('container-removed', id);
    await this.driver.create(owner);
    this.steps.reached('container-made', id);
  }

  /** Brings the folders of a revived agent back from where they were moved to when its name was given to another. */
  private bringBack(agent: Agent): void {
    this.freeName(agent.name);
    this.folders.bringBack(agent.folder, agent.name);
    this.agents.change(agent.id, { folder: agent.name });
  }

  /** Makes sure that the agent's folders are new: what a destroyed one of that name kept is moved aside. */
  private claim(agent: Agent): void {
    this.freeName(agent.name);
    if (this.folders.exist(agent.folder) && !this.approvals.isPrepared(agent.name)) {
      throw new HiveError(
        'conflict',
        `${this.folders.paths(agent.folder).root} lies there already and belongs to no agent that c0re knows; move it away, then start the agent`,
      );
    }
    this.agents.change(agent.id, { stage: 'claimed' });
  }

  /** What destroyed agents of that name kept is moved aside. */
  private freeName(name: string): void {
    for (const kept of this.agents.keptUnder(name)) {
      this.agents.change(kept.id, { folder: this.folders.setAside(name, kept.id) });
    }
  }

  /** The commit that the agent runs, deployed; a revived one has it already. */
  private async firstCommit(agent: Agent, paths: AgentPaths): Promise<string> {
    const { id, name, deployedSha, pinnedSha, seed } = agent;
    const sha =
      deployedSha ??
      pinnedSha ??
      (await this.repositories.create(paths, seed ?? {}, this.configOwner(agent)));
    if (deployedSha === null) await this.repositories.deployFirst(paths, sha);
    const tag = deployedSha === null ? 'deployed/0' : 'revived';
    await this.meta.finishDeploy({ name, sha, tag }, `spawn-${id}`);
    return sha;
  }

  /** The container driver of an agent of that configuration; null: none. Throws when it is not available. */
  containerFor({ driver, container }: AgentConfig): NewAgent['container'] {
    if (driver === 'codex' || driver === 'acp') {
      throw new HiveError(
        'not_available_yet',
        `the driver "${driver}" is not available yet; use claude, command or external`,
      );
    }
    if (driver === 'external') return null;
    const isSandbox =
      container === 'sandbox' && ['nspawn', 'bubblewrap'].includes(this.driver.name);
    if (container !== null && container !== this.driver.name && !isSandbox) {
      throw new HiveError(
        'driver_unavailable',
        `the container driver "${container}" is not available; this hive has "${this.driver.name}"`,
      );
    }
    return this.driver.name;
  }

  private freeSlot(): number {
    const slot = this.agents.freeSlot();
    try {
      this.settings.agentUser(slot);
    } catch {
      throw new HiveError(
        'conflict',
        'every user id of this hive is taken, also by destroyed agents whose files are kept',
      );
    }
    return slot;
  }
}
