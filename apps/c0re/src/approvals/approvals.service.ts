import { Inject, Injectable } from '@nestjs/common';

import { clip, formatId, HiveError, quoted } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { AgentRepository } from '../agents/agent.repository.js';
import type { ContainerDriver } from '../containers/container-driver.js';
import { AgentFolders } from '../folders/agent-folders.service.js';
import { AgentMaker } from '../lifecycle/agent-maker.service.js';
import { failureText } from '../lifecycle/failure-text.js';
import { ManagerNews } from '../manager/manager-news.repository.js';
import { MetaFeed } from '../meta/meta-feed.js';
import { MetaRepository } from '../meta/meta-repository.service.js';
import { OperationQueue } from '../operations/operation-queue.service.js';
import { isOver, OperationRepository } from '../operations/operation.repository.js';
import { ConfigRepositories } from '../repositories/config-repositories.service.js';
import { CLOCK, CONTAINER_DRIVER, LOGGER } from '../settings/tokens.js';
import { ApprovalRepository, type Approval } from './approval.repository.js';
import { configTemplate } from './config-template.js';
import { ApprovalRequests } from './requests.service.js';

/** Characters of a reason or an error that the manager is told. */
const NEWS_CHARS = 1000;
/** Tags and texts that stand in a row. */
const SHOWN_CHARS = 12;

/** What the operator decides (PRODUCT 4.6), and what follows from it. */
@Injectable()
export class Approvals {
  private readonly deciding = new Set<number>();

  constructor(
    private readonly approvals: ApprovalRepository,
    private readonly requests: ApprovalRequests,
    private readonly agents: AgentRepository,
    private readonly folders: AgentFolders,
    private readonly repositories: ConfigRepositories,
    private readonly meta: MetaRepository,
    private readonly metaFeed: MetaFeed,
    private readonly maker: AgentMaker,
    private readonly queue: OperationQueue,
    private readonly operations: OperationRepository,
    private readonly news: ManagerNews,
    @Inject(CONTAINER_DRIVER) private readonly driver: ContainerDriver,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    operations.onChange((id) => this.followSpawn(id));
  }

  /** Goes on with what a crash cut off. One that fails never stops the others. */
  async recover(): Promise<void> {
    for (const approval of this.approvals.open()) {
      try {
        await this.recoverOne(approval);
      } catch (error) {
        this.logger.error(
          { err: error, approval: formatId('a', approval.id) },
          'an approval could not be brought to its end',
        );
      }
    }
  }

  /** `sha`: the commit that the operator was shown; anything else than the pinned one is refused. */
  async approve(id: number, sha: string | null, by: string): Promise<Approval> {
    return this.decide(id, async (approval) => {
      if (approval.sha !== sha) {
        throw new HiveError(
          'conflict',
          `${formatId('a', id)} is about ${approval.sha ?? 'no commit'}, not ${sha ?? 'no commit'}; look at its diff again and approve what it shows`,
        );
      }
      switch (approval.kind) {
        case 'apply_commit':
          return this.approveCommit(approval, by);
        case 'spawn':
          return this.approveSpawn(approval, by);
        case 'init_config':
        case 'update_meta_inputs':
          this.approvals.change(id, { state: 'approved', ...this.decidedBy(by) });
          await this.carryOut(this.approvals.get(id));
      }
    });
  }

  async deny(id: number, reason: string | undefined, by: string): Promise<Approval> {
    return this.decide(id, async (approval) => {
      const told = reason?.trim() ? reason.trim() : null;
      await this.tagDenied(approval, told);
      this.denied(approval, told, by);
    });
  }

  private async decide(
    id: number,
    work: (approval: Approval) => Promise<void> | void,
  ): Promise<Approval> {
    const approval = this.approvals.find(id);
    const wireId = formatId('a', id);
    if (!approval) throw new HiveError('not_found', `there is no approval ${wireId}`);
    if (approval.state !== 'pending' || this.deciding.has(id)) {
      const who = approval.decidedBy === null ? '' : ` by ${approval.decidedBy}`;
      throw new HiveError('conflict', `${wireId} is ${approval.state}, decided${who} already`);
    }
    this.deciding.add(id);
    try {
      await work(approval);
      return this.approvals.get(id);
    } finally {
      this.deciding.delete(id);
    }
  }

  private approveCommit(approval: Approval, by: string): void {
    const agent = this.agents.find(approval.agentId ?? 0);
    if (!agent || agent.destroyedAt !== null) {
      throw new HiveError('conflict', `${approval.agent} was destroyed; deny the request`);
    }
    const reason = `approval ${formatId('a', approval.id)}`;
    this.queue.ask('deploy', agent, by, reason, (operation) =>
      this.approvals.change(approval.id, {
        state: 'approved',
        operationId: operation.id,
        ...this.decidedBy(by),
      }),
    );
  }

  private async approveSpawn(approval: Approval, by: string): Promise<void> {
    const name = approval.agent ?? '';
    const yaml =
      approval.sha === null
        ? configTemplate(name)
        : await this.repositories.text(this.folders.paths(name), approval.sha, 'agent.yaml');
    const row = this.maker.check({ name, yaml: yaml ?? '' });
    const agent = approval.sha === null ? row : { ...row, seed: null, pinnedSha: approval.sha };
    if (approval.sha !== null) await this.tag(approval, 'approved');
    const reason = `approval ${formatId('a', approval.id)}`;
    this.queue.askSpawn(agent, by, reason, (operation) =>
      this.approvals.change(approval.id, {
        state: 'approved',
        agentId: operation.agent_id,
        operationId: operation.id,
        ...this.decidedBy(by),
      }),
    );
  }

  /** What is done at once, without an operation. */
  private async carryOut(approval: Approval): Promise<void> {
    const id = formatId('a', approval.id);
    try {
      if (approval.kind === 'init_config') await this.initConfig(approval.agent ?? '');
      else await this.updateInputs(approval);
      this.approvals.together(() => {
        if (approval.kind === 'init_config') this.tellReady(approval.agent ?? '');
        this.resolve(approval, { state: 'deployed' }, `approval ${id} was approved and is done`);
      });
    } catch (error) {
      const text = failureText(error);
      this.resolve(
        approval,
        { state: 'failed', error: text },
        `approval ${id} failed: ${quoted(text, NEWS_CHARS)}`,
      );
    }
  }

  private async initConfig(name: string): Promise<void> {
    if (this.agents.byName(name)) {
      throw new HiveError('name_taken', `there is an agent named "${name}" already`);
    }
    if (!this.approvals.isPrepared(name) && this.folders.exist(name)) {
      throw new HiveError('conflict', `files lie under the name "${name}" already`);
    }
    this.approvals.setPrepared(name);
    const paths = this.folders.prepareConfig(name);
    await this.repositories.create(
      paths,
      { 'agent.yaml': configTemplate(name) },
      this.maker.configOwner(),
    );
  }

  private tellReady(name: string): void {
    this.news.add(
      'config_ready',
      `the config repository of ${name} is ready in ${this.shownConfig(name)}: edit agent.yaml, commit, then request_spawn`,
    );
  }

  /** Where the manager finds the config repository of an agent (PRODUCT 4.3): without a container, where it lies. */
  private shownConfig(name: string): string {
    return this.driver.name === 'process'
      ? this.folders.paths(name).config
      : `/agents/${name}/config`;
  }

  private async updateInputs({ inputs }: Approval): Promise<void> {
    await this.meta.checkInputs(inputs);
    await this.meta.updateInputs(inputs);
    await this.metaFeed.changed();
  }

  /** A spawn's approval goes with its operation. */
  private followSpawn(operationId: number): void {
    const approval = this.approvals.ofOperation(operationId);
    if (approval?.kind !== 'spawn' || approval.resolvedAt !== null) return;
    const operation = this.operations.get(operationId);
    if (operation.state === 'running' && approval.state === 'approved') {
      this.approvals.change(approval.id, { state: 'building' });
      void this.logged(this.tag(approval, 'building'));
    } else if (isOver(operation)) {
      void this.logged(this.finishSpawn(approval, operation.error));
    }
  }

  private async finishSpawn(approval: Approval, error: string | null): Promise<void> {
    const id = formatId('a', approval.id);
    const name = approval.agent ?? '';
    const sha = this.agents.find(approval.agentId ?? 0)?.deployedSha ?? null;
    await this.tag(approval, 'building');
    await this.tag(approval, error === null ? 'deployed' : 'failed', error ?? undefined);
    // Meanwhile told by another change of the row.
    if (this.approvals.get(approval.id).resolvedAt !== null) return;
    if (error === null) {
      const what = sha === null ? '' : ` with ${sha.slice(0, SHOWN_CHARS)}`;
      this.approvals.together(() => {
        const done = `approval ${id} is done: ${name} runs${what}`;
        this.resolve(approval, { state: 'deployed' }, done);
        this.news.add('spawned', `${name} was made${what} (approval ${id})`);
      });
    } else {
      const text = quoted(error, NEWS_CHARS);
      this.resolve(
        approval,
        { state: 'failed', error },
        `approval ${id} failed: ${name} was not made to run. The error: ${text}`,
      );
    }
  }

  private async recoverOne(approval: Approval): Promise<void> {
    if (approval.state === 'pending') {
      await this.requests.tagProposal(approval);
      if (approval.sha === null) return;
      const denied = await this.repositories.note(
        this.requests.pathsOf(approval),
        `denied/${formatId('a', approval.id)}`,
      );
      if (denied !== undefined) this.denied(approval, denied, 'operator');
      return;
    }
    if (approval.operationId === null) await this.carryOut(approval);
    else if (approval.kind === 'spawn') this.followSpawn(approval.operationId);
  }

  private denied(approval: Approval, reason: string | null, by: string): void {
    const why = reason === null ? 'no reason was given' : quoted(reason, NEWS_CHARS);
    const about = approval.agent === null ? '' : ` for ${approval.agent}`;
    this.resolve(
      approval,
      { state: 'denied', reason, ...this.decidedBy(by) },
      `approval ${formatId('a', approval.id)} (${approval.kind}${about}) was denied: ${why}`,
    );
  }

  private resolve(
    { id }: Approval,
    change: Parameters<ApprovalRepository['change']>[1],
    news: string,
  ): void {
    this.approvals.together(() => {
      this.approvals.change(id, { ...change, resolvedAt: this.clock.now() });
      this.news.add('approval_resolved', clip(news, 3000));
    });
  }

  private async tagDenied(approval: Approval, reason: string | null): Promise<void> {
    await this.tag(approval, 'denied', reason ?? 'no reason was given');
  }

  private async tag(
    approval: Approval,
    kind: 'approved' | 'building' | 'deployed' | 'failed' | 'denied',
    note?: string,
  ): Promise<void> {
    if (approval.sha === null) return;
    const paths = this.requests.pathsOf(this.approvals.get(approval.id));
    await this.repositories.tag(paths, `${kind}/${formatId('a', approval.id)}`, approval.sha, note);
  }

  private decidedBy(by: string) {
    return { decidedBy: by, decidedAt: this.clock.now() };
  }

  private async logged(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => {
      this.logger.error({ err: error }, 'an approval could not be brought to its end');
    });
  }
}
