import { Injectable } from '@nestjs/common';

import { formatId, HiveError, MANAGER, type C0reAnswers } from '#libs/protocol';
import type {
  JournalQuery,
  ManagerCancelRequest,
  ManagerCommitRequest,
  ManagerInputsRequest,
  ManagerNameRequest,
  ManagerVerbRequest,
} from '#libs/requests';

import type { Agent } from '../agents/agent.entity.js';
import { AgentRepository } from '../agents/agent.repository.js';
import { ApprovalRequests } from '../approvals/requests.service.js';
import { readJournal } from '../journal/journal.reader.js';
import { OperationQueue } from '../operations/operation-queue.service.js';
import {
  OperationRepository,
  toOperationRow,
  type AgentOperationKind,
  type Operation,
} from '../operations/operation.repository.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import type { C0reAnswer, C0reRequest, RequestHandlers } from './request-handler.js';

/** Verbs of the manager's that are remembered by the id of their request, so that a repeat does nothing (P11). */
const REMEMBERED = 1000;

/** What the manager may ask for (INTERFACES "Manager surface"); who asks was checked before. */
@Injectable()
export class ManagerHandlers {
  readonly byRoute = {
    request_init_config: ({ askedBy, body }: C0reRequest) =>
      this.requested(this.requests.initConfig(askedBy, body as ManagerNameRequest)),
    request_spawn: ({ askedBy, body }: C0reRequest) =>
      this.requested(this.requests.spawn(askedBy, body as ManagerNameRequest)),
    request_apply_commit: ({ askedBy, body }: C0reRequest) =>
      this.requested(this.requests.applyCommit(askedBy, body as ManagerCommitRequest)),
    request_update_meta_inputs: ({ askedBy, body }: C0reRequest) =>
      this.requested(this.requests.updateMetaInputs(askedBy, body as ManagerInputsRequest)),
    manager_start: (request: C0reRequest) => this.operate('start', request),
    manager_stop: (request: C0reRequest) => this.operate('stop', request),
    manager_restart: (request: C0reRequest) => this.operate('restart', request),
    manager_rebuild: (request: C0reRequest) => this.operate('rebuild', request),
    manager_restart_all: (request: C0reRequest) => this.restartAll(request),
    manager_cancels: ({ body }: C0reRequest) => {
      const { kind, id } = body as ManagerCancelRequest;
      return { body: {}, target: `${kind} ${id}` };
    },
    manager_read_journal: (request: C0reRequest) => this.journal(request),
  } satisfies Partial<RequestHandlers>;
  private readonly done = new Map<string, number>();

  constructor(
    private readonly settings: C0reSettings,
    private readonly agents: AgentRepository,
    private readonly operations: OperationRepository,
    private readonly queue: OperationQueue,
    private readonly requests: ApprovalRequests,
  ) {}

  private async requested(request: Promise<C0reAnswers['requested']>): Promise<C0reAnswer> {
    const body = await request;
    return { status: 202, body, audit: body.id };
  }

  private operate(kind: AgentOperationKind, request: C0reRequest): C0reAnswer {
    const { name, askedBy } = request;
    return this.once(request, () => this.queue.ask(kind, this.other(name), askedBy, ''));
  }

  private restartAll(request: C0reRequest): C0reAnswer {
    return this.once(request, () => this.queue.askHive('restart_all', request.askedBy, ''));
  }

  private once({ body }: C0reRequest, ask: () => Operation): C0reAnswer {
    const { request_id } = body as ManagerVerbRequest;
    const before = this.done.get(request_id);
    const operation = before === undefined ? ask() : this.operations.get(before);
    this.remember(request_id, operation.id);
    return {
      status: 202,
      body: { operation: toOperationRow(operation) } satisfies C0reAnswers['operation'],
      audit: formatId('o', operation.id),
      target: operation.agent ?? 'the hive',
    };
  }

  private journal({ name, query }: C0reRequest): C0reAnswer {
    const agent = this.agent(name);
    const lines = readJournal(this.settings.home.log(agent.name), (query as JournalQuery).lines);
    return { body: { agent: agent.name, lines } satisfies C0reAnswers['journal'] };
  }

  private remember(requestId: string, operation: number): void {
    this.done.set(requestId, operation);
    if (this.done.size <= REMEMBERED) return;
    const oldest = this.done.keys().next();
    if (!oldest.done) this.done.delete(oldest.value);
  }

  private other(name: string): Agent {
    const agent = this.agent(name);
    if (agent.role !== MANAGER) return agent;
    throw new HiveError(
      'forbidden',
      'you cannot start, stop, restart or rebuild yourself; ask the operator',
    );
  }

  private agent(name: string): Agent {
    const agent = this.agents.byName(name);
    if (!agent) throw new HiveError('not_found', `there is no agent named "${name}"`);
    return agent;
  }
}
