import { Inject, Injectable } from '@nestjs/common';

import { agentNameProblem, HiveError, type AgentConfig, type SpawnBody } from '#libs/protocol';
import type { Clock } from '#libs/service';

import {
  parseAgentConfig,
  parseAgentYaml,
  type ParsedConfig,
} from '../agent-config/agent-config.parser.js';
import { configFilesProblem } from '../agent-config/config-files.rules.js';
import type { Agent } from '../agents/agent.entity.js';
import { AgentRepository, type NewAgent } from '../agents/agent.repository.js';
import type { ContainerDriver, ContainerOwner } from '../containers/container-driver.js';
import { AgentFolders } from '../folders/agent-folders.service.js';
import { hashOf, newSecret } from '../operators/credential.hash.js';
import { ConfigRepositories } from '../repositories/config-repositories.service.js';
import { AgentSecrets } from '../secrets/agent-secrets.service.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import { CLOCK, CONTAINER_DRIVER } from '../settings/tokens.js';

/** Makes agents: checks what was asked for, and brings what belongs to an agent onto the disk. */
@Injectable()
export class AgentMaker {
  constructor(
    private readonly settings: C0reSettings,
    private readonly agents: AgentRepository,
    private readonly folders: AgentFolders,
    private readonly repositories: ConfigRepositories,
    private readonly secrets: AgentSecrets,
    @Inject(CONTAINER_DRIVER) private readonly driver: ContainerDriver,
    @Inject(CLOCK) private readonly clock: Clock,
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
    const owner = this.owner(agent);
    const paths = this.folders.prepare(agent.folder, owner.user);
    const token = newSecret();
    this.folders.writeToken(paths, token, owner.user);
    const sha = await this.repositories.create(paths, agent.seed ?? {});
    if (agent.container) await this.driver.create(owner);
    this.agents.change(id, {
      stage: 'provisioned',
      tokenHash: hashOf(token),
      deployedSha: sha,
      seed: null,
    });
  }

  /** Makes sure that the agent's folders are new: what a destroyed one of that name kept is moved aside. */
  private claim(agent: Agent): void {
    for (const kept of this.agents.keptUnder(agent.name)) {
      this.agents.change(kept.id, { folder: this.folders.setAside(agent.name, kept.id) });
    }
    if (this.folders.exist(agent.folder)) {
      throw new HiveError(
        'conflict',
        `${this.folders.paths(agent.folder).root} lies there already and belongs to no agent that c0re knows; move it away, then start the agent`,
      );
    }
    this.agents.change(agent.id, { stage: 'claimed' });
  }

  private containerFor({ driver, container }: AgentConfig): NewAgent['container'] {
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
