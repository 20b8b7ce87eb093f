import { Injectable } from '@nestjs/common';

import {
  AGENT_NAME,
  agentNameProblem,
  clip,
  formatId,
  HiveError,
  LIMITS,
  type ApprovalKind,
  type C0reAnswers,
} from '#libs/protocol';
import type {
  ManagerCommitRequest,
  ManagerInputsRequest,
  ManagerNameRequest,
} from '#libs/requests';

import { parseAgentYaml } from '../agent-config/agent-config.parser.js';
import type { Agent } from '../agents/agent.entity.js';
import { AgentRepository } from '../agents/agent.repository.js';
import { AgentFolders } from '../folders/agent-folders.service.js';
import { MetaRepository } from '../meta/meta-repository.service.js';
import { ConfigRepositories } from '../repositories/config-repositories.service.js';
import type { AgentPaths } from '../settings/hive-home.js';
import { ApprovalRepository, type Approval, type NewApproval } from './approval.repository.js';

type Requested = C0reAnswers['requested'];
type Wish = Pick<NewApproval, 'kind' | 'agent'> & Partial<NewApproval>;

/**
 * What the manager asks the operator for (PRODUCT 4.6). Everything is checked, and commits are pinned, before a row
 * exists: the operator never sees what could not be.
 */
@Injectable()
export class ApprovalRequests {
  private tail: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly approvals: ApprovalRepository,
    private readonly agents: AgentRepository,
    private readonly folders: AgentFolders,
    private readonly repositories: ConfigRepositories,
    private readonly meta: MetaRepository,
  ) {}

  initConfig(by: string, { name, ...request }: ManagerNameRequest): Promise<Requested> {
    return this.once(by, request, 'init_config', () => {
      this.checkFree(name);
      if (this.folders.exist(name)) {
        throw new HiveError(
          'name_taken',
          this.approvals.isPrepared(name)
            ? `the config repository of "${name}" is there already; commit to it and request_spawn`
            : `files of a former "${name}" are kept under that name; ask the operator to revive or purge it`,
        );
      }
      return Promise.resolve({ kind: 'init_config', agent: name });
    });
  }

  spawn(by: string, { name, ...request }: ManagerNameRequest): Promise<Requested> {
    return this.once(by, request, 'spawn', async () => {
      this.checkFree(name);
      if (!this.approvals.isPrepared(name)) return { kind: 'spawn', agent: name };
      const paths = this.folders.paths(name);
      const sha = await this.pin(paths, undefined, 'agent');
      return { kind: 'spawn', agent: name, sha, commitRef: sha };
    });
  }

  applyCommit(
    by: string,
    { agent: name, commit_ref, ...request }: ManagerCommitRequest,
  ): Promise<Requested> {
    return this.once(by, request, 'apply_commit', async () => {
      const agent = this.living(name);
      const sha = await this.pin(this.folders.paths(agent.folder), commit_ref, agent.role);
      if (sha === agent.deployedSha) {
        throw new HiveError('conflict', `${name} runs ${sha.slice(0, 12)} already`);
      }
      return { kind: 'apply_commit', agent: name, agentId: agent.id, sha, commitRef: commit_ref };
    });
  }

  updateMetaInputs(by: string, { inputs = [], ...request }: ManagerInputsRequest) {
    return this.once(by, request, 'update_meta_inputs', async () => {
      await this.meta.checkInputs(inputs);
      return { kind: 'update_meta_inputs', agent: null, inputs };
    });
  }

  /** Sets the tag of a proposal that a crash kept from getting it. */
  async tagProposal(approval: Approval): Promise<void> {
    if (approval.sha === null || approval.agent === null) return;
    const tag = `proposal/${formatId('a', approval.id)}`;
    await this.repositories.tag(this.pathsOf(approval), tag, approval.sha);
  }

  /** Folders of the agent that an approval is about. */
  pathsOf({ agent, agentId }: Approval): AgentPaths {
    const folder = agentId === null ? (agent ?? '') : this.agents.get(agentId).folder;
    return this.folders.paths(folder);
  }

  /** One request after the other; repeated it is answered as the first time (P11). */
  private once(
    by: string,
    { request_id, description = '' }: { request_id: string; description?: string },
    kind: ApprovalKind,
    check: () => Promise<Wish>,
  ): Promise<Requested> {
    const work = async (): Promise<Requested> => {
      const before = this.approvals.ofRequest(request_id);
      if (before) return answer(before);
      const wish = await check();
      const pending = this.approvals.pending();
      const same = pending.find((other) => isSame(other, wish));
      if (same) {
        return { ...answer(same), note: `the same waits already as ${formatId('a', same.id)}` };
      }
      if (pending.length >= LIMITS.approvals_pending) {
        throw new HiveError(
          'rate_limited',
          `${pending.length} requests wait for the operator, the limit is ${LIMITS.approvals_pending}; wait until some are decided`,
        );
      }
      const approval = this.approvals.insert({
        agentId: null,
        commitRef: null,
        sha: null,
        inputs: [],
        ...wish,
        kind,
        description,
        requestedBy: by,
        requestId: request_id,
      });
      await this.tagProposal(approval);
      return answer(approval);
    };
    const mine = this.tail.then(work, work);
    this.tail = mine.catch(() => {});
    return mine;
  }

  /** Pins the commit and checks its agent.yaml. Returns the whole id. */
  private async pin(
    paths: AgentPaths,
    ref: string | undefined,
    role: Agent['role'],
  ): Promise<string> {
    const { sha, files } = await this.repositories.pin(paths, ref);
    if (!files.some(({ path }) => path === 'agent.yaml')) {
      throw new HiveError('invalid_config', `commit ${sha.slice(0, 12)} has no agent.yaml`);
    }
    const yaml = (await this.repositories.text(paths, sha, 'agent.yaml')) ?? '';
    const { config } = parseAgentYaml(yaml);
    if (config.role !== role) {
      throw new HiveError(
        'invalid_config',
        `role must stay "${role}": an agent's role is not changed by its config`,
      );
    }
    return sha;
  }

  private checkFree(name: string): void {
    const problem = agentNameProblem(name);
    if (problem) throw new HiveError('invalid_name', problem);
    if (this.agents.byName(name)) {
      throw new HiveError('name_taken', `there is an agent named "${name}" already`);
    }
  }

  private living(name: string): Agent {
    const agent = AGENT_NAME.test(name) ? this.agents.byName(name) : undefined;
    if (!agent) {
      throw new HiveError('not_found', `there is no agent named ${JSON.stringify(clip(name, 40))}`);
    }
    if (agent.stage !== 'provisioned') {
      throw new HiveError('conflict', `${name} is still being made; try again when it is`);
    }
    return agent;
  }
}

function isSame(other: Approval, wish: Wish): boolean {
  return (
    other.kind === wish.kind &&
    other.agent === wish.agent &&
    other.sha === (wish.sha ?? null) &&
    JSON.stringify(other.inputs) === JSON.stringify(wish.inputs ?? [])
  );
}

function answer({ id, state, sha }: Approval): Requested {
  return { id: formatId('a', id), state, ...(sha === null ? {} : { sha }) };
}
