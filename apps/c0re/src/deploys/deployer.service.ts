import { Inject, Injectable } from '@nestjs/common';

import { formatId, HiveError, MANAGER, quoted, type AgentConfig } from '#libs/protocol';
import type { Clock } from '#libs/service';

import { parseAgentYaml } from '../agent-config/agent-config.parser.js';
import type { Agent } from '../agents/agent.entity.js';
import { AgentRepository } from '../agents/agent.repository.js';
import {
  ApprovalRepository,
  type Approval,
  type Previous,
} from '../approvals/approval.repository.js';
import type { ContainerDriver } from '../containers/container-driver.js';
import { AgentFolders } from '../folders/agent-folders.service.js';
import { AgentMaker } from '../lifecycle/agent-maker.service.js';
import { AgentRunner } from '../lifecycle/agent-runner.service.js';
import { failureText } from '../lifecycle/failure-text.js';
import { ManagerNews } from '../manager/manager-news.repository.js';
import { MetaRepository } from '../meta/meta-repository.service.js';
import { ConfigRepositories } from '../repositories/config-repositories.service.js';
import { RestartWindows } from '../restarts/restart-windows.service.js';
import { AgentSecrets } from '../secrets/agent-secrets.service.js';
import { CLOCK, CONTAINER_DRIVER } from '../settings/tokens.js';
import { DeploySteps } from './steps.js';

/** Characters of an error that the manager is told. */
const NEWS_CHARS = 1000;

/** What a deploy works on. */
interface Deploy {
  approval: Approval;
  /** Its id on the wire and in tags. */
  id: string;
  sha: string;
  agent: Agent;
}

/**
 * Deploys an approved commit (PRODUCT 4.4): built first, while the agent runs on untouched; then put in the place of what
 * runs; and when that does not hold, what ran before is put back. `main` and the meta repository move at the very end.
 * Every step may be the last of this c0re: carried out again it goes on.
 */
@Injectable()
export class Deployer {
  constructor(
    private readonly approvals: ApprovalRepository,
    private readonly agents: AgentRepository,
    private readonly repositories: ConfigRepositories,
    private readonly meta: MetaRepository,
    private readonly folders: AgentFolders,
    private readonly secrets: AgentSecrets,
    private readonly maker: AgentMaker,
    private readonly runner: AgentRunner,
    private readonly windows: RestartWindows,
    private readonly news: ManagerNews,
    private readonly steps: DeploySteps,
    @Inject(CONTAINER_DRIVER) private readonly driver: ContainerDriver,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Carries out the deploy of that operation. The caller holds the agent's lock. Throws why it failed. */
  async carryOut(operationId: number): Promise<void> {
    const approval = this.approvals.ofOperation(operationId);
    if (!approval || approval.sha === null || approval.agentId === null) {
      throw new Error(`operation ${operationId} deploys nothing`);
    }
    if (approval.state === 'deployed') return;
    if (approval.state === 'failed') throw new HiveError('conflict', approval.error ?? 'it failed');
    const deploy: Deploy = {
      approval,
      id: formatId('a', approval.id),
      sha: approval.sha,
      agent: this.agents.get(approval.agentId),
    };
    const paths = this.folders.paths(deploy.agent.folder);
    try {
      const failed = await this.repositories.note(paths, `failed/${deploy.id}`);
      if (failed !== undefined) throw new HiveError('conflict', failed);
      if ((await this.repositories.commitOf(paths, `deployed/${deploy.id}`)) === undefined) {
        const config = await this.build(deploy);
        await this.switchTo(deploy, config);
        await this.repositories.moveMain(paths, deploy.sha, `deployed/${deploy.id}`);
        this.steps.reached('main-moved');
      }
    } catch (error) {
      await this.fail(deploy, failureText(error));
      throw error;
    }
    await this.finish(deploy);
  }

  /** What can be known to be wrong before anything of the agent is touched. */
  private async build({ agent, id, sha, approval }: Deploy): Promise<AgentConfig> {
    const paths = this.folders.paths(agent.folder);
    await this.repositories.tag(paths, `approved/${id}`, sha);
    this.steps.reached('approved');
    if (approval.state !== 'building') this.approvals.change(approval.id, { state: 'building' });
    await this.repositories.tag(paths, `building/${id}`, sha);
    this.steps.reached('building');
    const yaml = await this.repositories.text(paths, sha, 'agent.yaml');
    if (yaml === undefined) throw new HiveError('invalid_config', 'the tree has no agent.yaml');
    const { config } = parseAgentYaml(yaml);
    if (config.role !== agent.role) {
      throw new HiveError('invalid_config', `the role of ${agent.name} is ${agent.role}`);
    }
    this.secrets.resolve(agent.name, config);
    this.maker.containerFor(config);
    this.steps.reached('built');
    await this.meta.prepareDeploy(this.deployed({ agent, id, sha }), id);
    this.steps.reached('meta-prepared');
    return config;
  }

  /** Puts the commit in the place of what the agent runs. */
  private async switchTo({ approval, agent, sha }: Deploy, config: AgentConfig): Promise<void> {
    const previous = approval.previous ?? this.noteWhatRuns(approval, agent);
    this.steps.reached('switching');
    await this.tellRestart(
      approval,
      `You were restarted with a new configuration (approval ${formatId('a', approval.id)}, commit ${sha.slice(0, 12)}).`,
    );
    await this.runner.end(agent.id);
    if (this.agents.get(agent.id).wanted === 'running') {
      this.agents.change(agent.id, { state: 'rebuilding', reason: '' });
    }
    this.steps.reached('stopped');
    await this.apply(agent, sha, { config, container: this.maker.containerFor(config) });
    if (this.agents.get(agent.id).wanted !== 'running') return;
    await this.runner.launch(agent.id);
    this.steps.reached('started');
    const ended = await this.runner.endsSoon(agent.id);
    if (ended !== undefined) {
      throw new HiveError(
        'conflict',
        `${agent.name} did not stay up with it (${ended}); it runs ${previous.sha.slice(0, 12)} again`,
      );
    }
  }

  private noteWhatRuns(approval: Approval, agent: Agent): Previous {
    if (agent.deployedSha === null) throw new Error(`${agent.name} was never deployed`);
    const { config, container } = agent;
    const previous = { sha: agent.deployedSha, config, container };
    this.approvals.change(approval.id, { previous });
    return previous;
  }

  /** Tree, configuration and container of a stopped agent. */
  private async apply(
    agent: Agent,
    sha: string,
    { config, container }: Pick<Agent, 'config' | 'container'>,
  ): Promise<void> {
    await this.repositories.writeDeployed(this.folders.paths(agent.folder), sha);
    this.steps.reached('tree-written');
    const changed = this.agents.change(agent.id, { config, container });
    if (container !== null) await this.driver.create(this.maker.owner(changed));
    this.steps.reached('config-stored');
  }

  private async finish(deploy: Deploy): Promise<void> {
    await this.meta.finishDeploy(this.deployed(deploy), deploy.id);
    this.steps.reached('meta-finished');
    const { approval, agent, id, sha } = deploy;
    this.approvals.together(() => {
      this.approvals.change(approval.id, { state: 'deployed', resolvedAt: this.clock.now() });
      this.agents.change(agent.id, { deployedSha: sha });
      this.news.add(
        'approval_resolved',
        `approval ${id} is deployed: ${agent.name} runs ${sha.slice(0, 12)} (tag deployed/${id})`,
      );
      this.news.add(
        'rebuilt',
        `${agent.name} was rebuilt with ${sha.slice(0, 12)} (deployed/${id})`,
      );
    });
  }

  /** Puts back what ran before; the error stands in the row and in the tag. */
  private async fail({ approval, agent, id, sha }: Deploy, why: string): Promise<void> {
    this.steps.reached('failing');
    const paths = this.folders.paths(agent.folder);
    const { previous } = this.approvals.get(approval.id);
    let error = why;
    if (previous) {
      try {
        await this.tellRestart(
          approval,
          `A new configuration of yours (approval ${id}) did not hold: you run the earlier one again.`,
          '-back',
        );
        await this.runner.end(agent.id);
        await this.apply(agent, previous.sha, previous);
        this.steps.reached('restored');
        await this.runner.launch(agent.id);
      } catch (again) {
        error = `${why}; and what ran before did not start: ${failureText(again)}`;
      }
    }
    await this.meta.abortDeploy(id);
    await this.repositories.tag(paths, `failed/${id}`, sha, error);
    this.steps.reached('failed-tagged');
    this.approvals.together(() => {
      this.approvals.change(approval.id, {
        state: 'failed',
        error,
        resolvedAt: this.clock.now(),
      });
      this.news.add(
        'approval_resolved',
        `approval ${id} failed: ${agent.name} keeps ${(agent.deployedSha ?? '').slice(0, 12)} (tag failed/${id}). The error: ${quoted(error, NEWS_CHARS)}`,
      );
    });
  }

  /** Leases outlast the restart, and the agent gets its one wake after it (P24). */
  private async tellRestart(approval: Approval, text: string, suffix = ''): Promise<void> {
    const { agentId, operationId } = approval;
    if (agentId === null || operationId === null) return;
    if (this.agents.get(agentId).wanted !== 'running') return;
    await this.windows.open({
      operation: `${formatId('o', operationId)}${suffix}`,
      agents: [agentId],
      text: `${text} What you had been given and not finished comes again.`,
    });
  }

  /** The agent is gone: what waits for it can never be deployed. */
  async withdraw(agent: Agent): Promise<void> {
    const reason = 'the agent was destroyed';
    const paths = this.folders.paths(agent.folder);
    for (const approval of this.approvals.pending()) {
      if (approval.agentId !== agent.id) continue;
      const id = formatId('a', approval.id);
      if (approval.sha !== null)
        await this.repositories.tag(paths, `denied/${id}`, approval.sha, reason);
      const now = this.clock.now();
      this.approvals.together(() => {
        this.approvals.change(approval.id, {
          state: 'denied',
          reason,
          decidedBy: 'system',
          decidedAt: now,
          resolvedAt: now,
        });
        this.news.add('approval_resolved', `approval ${id} is void: ${agent.name} was destroyed`);
      });
    }
  }

  private deployed({ agent, id, sha }: Pick<Deploy, 'agent' | 'id' | 'sha'>) {
    return { name: agent.role === MANAGER ? MANAGER : agent.name, sha, tag: `deployed/${id}` };
  }
}
