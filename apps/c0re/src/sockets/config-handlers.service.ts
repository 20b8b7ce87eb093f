import { Injectable } from '@nestjs/common';

import {
  formatId,
  HiveError,
  isoTime,
  type ApprovalState,
  type C0reAnswers,
  type ConfigHistoryEntry,
} from '#libs/protocol';
import type { ConfigDiffQuery, ConfigFileQuery } from '#libs/requests';

import type { Agent } from '../agents/agent.entity.js';
import { AgentRepository } from '../agents/agent.repository.js';
import { ApprovalRepository, type Approval } from '../approvals/approval.repository.js';
import { AgentFolders } from '../folders/agent-folders.service.js';
import { ConfigRepositories, type TagEntry } from '../repositories/config-repositories.service.js';
import type { C0reAnswer, C0reRequest, RequestHandlers } from './request-handler.js';

/** Approvals of one agent that its history shows. */
const MOST = 200;
const TAG_OF: Record<ApprovalState, string> = {
  pending: 'proposal',
  approved: 'approved',
  building: 'building',
  deployed: 'deployed',
  denied: 'denied',
  failed: 'failed',
};

/** What the operator sees of agents' config trees: all of it from the applied repositories. */
@Injectable()
export class ConfigHandlers {
  readonly byRoute = {
    config_history: (request: C0reRequest) => this.history(request),
    config_file: (request: C0reRequest) => this.file(request),
    config_diff: (request: C0reRequest) => this.diff(request),
  } satisfies Partial<RequestHandlers>;

  constructor(
    private readonly agents: AgentRepository,
    private readonly approvals: ApprovalRepository,
    private readonly folders: AgentFolders,
    private readonly repositories: ConfigRepositories,
  ) {}

  private async history({ name }: C0reRequest): Promise<C0reAnswer> {
    const agent = this.agent(name);
    const tags = await this.repositories.tags(this.folders.paths(agent.folder));
    const byTag = new Map(tags.map((entry) => [entry.tag, entry]));
    const submitted = this.approvals
      .ofAgent(agent.name, MOST)
      .filter((approval) => approval.sha !== null && approval.agentId === agent.id)
      .map((approval) => entryOf(approval, byTag));
    const first = byTag.get('deployed/0');
    const body: C0reAnswers['config_history'] = {
      agent: agent.name,
      deployed_sha: agent.deployedSha,
      config: agent.config,
      history: [...submitted, ...(first ? [firstEntry(first)] : [])],
    };
    return { body };
  }

  private async file({ name, query }: C0reRequest): Promise<C0reAnswer> {
    const agent = this.agent(name);
    const { path, at } = query as ConfigFileQuery;
    const paths = this.folders.paths(agent.folder);
    const sha = await this.commit(agent, at);
    const files = (await this.repositories.files(paths, sha)).map((file) => file.path);
    const text = await this.repositories.text(paths, sha, path);
    if (text === undefined) {
      throw new HiveError(
        'not_found',
        `${sha.slice(0, 12)} of ${name} has no file ${JSON.stringify(path)}`,
      );
    }
    return { body: { agent: name, sha, path, text, files } satisfies C0reAnswers['config_file'] };
  }

  private async diff({ name, query }: C0reRequest): Promise<C0reAnswer> {
    const agent = this.agent(name);
    const { from, to } = query as ConfigDiffQuery;
    const paths = this.folders.paths(agent.folder);
    const diff = await this.repositories.diff(
      paths,
      await this.commit(agent, from),
      await this.commit(agent, to),
    );
    return { body: diff satisfies C0reAnswers['config_diff'] };
  }

  private async commit(agent: Agent, asked: string | undefined): Promise<string> {
    const wanted = asked ?? agent.deployedSha;
    const sha =
      wanted === null
        ? undefined
        : await this.repositories.commitOf(this.folders.paths(agent.folder), wanted);
    if (sha === undefined) {
      throw new HiveError('not_found', `${agent.name} has no commit ${wanted ?? 'deployed'}`);
    }
    return sha;
  }

  private agent(name: string): Agent {
    const agent = this.agents.byName(name);
    if (agent?.stage === 'provisioned') return agent;
    throw new HiveError('not_found', `there is no agent named "${name}"`);
  }
}

function entryOf(approval: Approval, tags: ReadonlyMap<string, TagEntry>): ConfigHistoryEntry {
  const id = formatId('a', approval.id);
  const tag = `${TAG_OF[approval.state]}/${id}`;
  return {
    tag,
    sha: approval.sha ?? '',
    state: approval.state,
    at: isoTime(approval.resolvedAt ?? approval.decidedAt ?? approval.requestedAt),
    subject: (tags.get(`proposal/${id}`) ?? tags.get(tag))?.subject ?? '',
    note: approval.reason ?? approval.error ?? '',
  };
}

function firstEntry({ tag, sha, at, subject }: TagEntry): ConfigHistoryEntry {
  return { tag, sha, state: 'deployed', at: isoTime(at), subject, note: '' };
}
