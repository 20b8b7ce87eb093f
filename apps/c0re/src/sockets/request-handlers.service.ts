import { Inject, Injectable } from '@nestjs/common';

import {
  HiveError,
  parseId,
  type C0reAnswers,
  type C0reHealth,
  type SpawnBody,
} from '#libs/protocol';
import type { JournalQuery, LoginRequest, OperationRequest, OperationsQuery } from '#libs/requests';

import { toRecord, type Agent } from '../agents/agent.entity.js';
import { AgentRepository } from '../agents/agent.repository.js';
import type { ContainerDriver } from '../containers/container-driver.js';
import { DriverTrials } from '../health/driver-trials.service.js';
import { Protections } from '../health/protections.service.js';
import { readJournal } from '../journal/journal.reader.js';
import { AgentMaker } from '../lifecycle/agent-maker.service.js';
import { AgentRunner } from '../lifecycle/agent-runner.service.js';
import { Lifecycle } from '../lifecycle/lifecycle.service.js';
import { OperationQueue } from '../operations/operation-queue.service.js';
import { OperationRepository, toOperationRow } from '../operations/operation.repository.js';
import { OperatorCredentials } from '../operators/operator-credentials.service.js';
import { RegistryPush } from '../registry/registry-push.service.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import { CONTAINER_DRIVER } from '../settings/tokens.js';
import { StateFileHandlers } from '../state-files/state-file.handlers.js';
import { ApprovalHandlers } from './approval-handlers.service.js';
import { ConfigHandlers } from './config-handlers.service.js';
import { JobHandlers } from './job.handlers.js';
import { LifeHandlers } from './life.handlers.js';
import { ManagerHandlers } from './manager-handlers.service.js';
import { OperationAnswers } from './operation-answers.service.js';
import type { C0reAnswer, C0reRequest, RequestHandlers } from './request-handler.js';

/** What each request of the table does. */
@Injectable()
export class C0reRequestHandlers {
  private readonly own = {
    health: (request: C0reRequest) => this.health(request),
    try_drivers: () => this.tryDrivers(),
    login: (request: C0reRequest) => this.login(request),
    check_session: ({ credential }: C0reRequest) => ({ body: this.operators.check(credential) }),
    logout: ({ credential }: C0reRequest) => this.logout(credential),
    create_login_link: () => ({ body: this.operators.createLoginLink() }),
    list_agents: () => this.listAgents(),
    get_agent: ({ name }: C0reRequest) => this.getAgent(name),
    read_journal: (request: C0reRequest) => this.journal(request),
    list_operations: (request: C0reRequest) => this.listOperations(request),
    spawn: (request: C0reRequest) => this.spawn(request),
    start: (request: C0reRequest) => this.operate('start', request),
    stop: (request: C0reRequest) => this.operate('stop', request),
    restart: (request: C0reRequest) => this.operate('restart', request),
    destroy: (request: C0reRequest) => this.operate('destroy', request),
    rebuild: (request: C0reRequest) => this.operate('rebuild', request),
    stop_all: () => this.stopAll(),
  } satisfies Partial<RequestHandlers>;

  constructor(
    private readonly settings: C0reSettings,
    private readonly agents: AgentRepository,
    private readonly operations: OperationRepository,
    private readonly queue: OperationQueue,
    private readonly maker: AgentMaker,
    private readonly runner: AgentRunner,
    private readonly lifecycle: Lifecycle,
    private readonly operators: OperatorCredentials,
    private readonly registry: RegistryPush,
    private readonly protections: Protections,
    private readonly answers: OperationAnswers,
    private readonly lives: LifeHandlers,
    private readonly jobs: JobHandlers,
    private readonly stateFiles: StateFileHandlers,
    private readonly trials: DriverTrials,
    @Inject(CONTAINER_DRIVER) private readonly driver: ContainerDriver,
    private readonly approvals: ApprovalHandlers,
    private readonly configs: ConfigHandlers,
    private readonly managers: ManagerHandlers,
  ) {}

  get byRoute(): RequestHandlers {
    return {
      ...this.own,
      ...this.lives.byRoute,
      ...this.jobs.byRoute,
      ...this.stateFiles.byRoute,
      ...this.approvals.byRoute,
      ...this.configs.byRoute,
      ...this.managers.byRoute,
    };
  }

  private health({ peer }: C0reRequest): C0reAnswer {
    const answer: C0reHealth = { ok: true, service: 'c0re' };
    if (peer === 'dashboard' || peer === 'admin') {
      answer.hive_rev = this.settings.rev;
      answer.container_driver = this.driver.name;
      answer.broker_in_step = this.registry.isInStep;
      answer.protections_off = this.protections.off();
    }
    return { body: answer };
  }

  private async tryDrivers(): Promise<C0reAnswer> {
    return { body: { drivers: await this.trials.run() } satisfies C0reAnswers['drivers'] };
  }

  private login({ body }: C0reRequest): C0reAnswer {
    return { body: this.operators.login((body as LoginRequest).token) };
  }

  private logout(credential: C0reRequest['credential']): C0reAnswer {
    this.operators.logout(credential);
    return { body: {} };
  }

  private listAgents(): C0reAnswer {
    const agents = this.agents.living().map((agent) => this.record(agent));
    return { body: { agents } satisfies C0reAnswers['agents'] };
  }

  private getAgent(name: string): C0reAnswer {
    return { body: { agent: this.record(this.agent(name)) } satisfies C0reAnswers['agent'] };
  }

  private journal({ name, query }: C0reRequest): C0reAnswer {
    const agent = this.agent(name);
    const lines = readJournal(this.settings.home.log(agent.name), (query as JournalQuery).lines);
    return { body: { agent: agent.name, lines } satisfies C0reAnswers['journal'] };
  }

  private listOperations({ query }: C0reRequest): C0reAnswer {
    const { limit, before } = query as OperationsQuery;
    const page = this.operations.page(
      limit + 1,
      before === undefined ? undefined : parseId('o', before),
    );
    const operations = page.slice(0, limit).map(toOperationRow);
    const answer: C0reAnswers['operations'] = { operations };
    if (page.length > limit) answer.next = operations.at(-1)?.id ?? '';
    return { body: answer };
  }

  private spawn({ body, query, askedBy }: C0reRequest): Promise<C0reAnswer> {
    const asked = body as SpawnBody;
    const row = this.maker.check(asked);
    const operation = this.queue.askSpawn(row, askedBy, asked.reason ?? '');
    return this.answers.of(operation, query);
  }

  private operate(
    kind: 'start' | 'stop' | 'restart' | 'rebuild' | 'destroy',
    { name, body, query, askedBy }: C0reRequest,
  ): Promise<C0reAnswer> {
    const { reason = '' }: OperationRequest = body;
    const operation = this.queue.ask(kind, this.agent(name), askedBy, reason);
    return this.answers.of(operation, query);
  }

  private async stopAll(): Promise<C0reAnswer> {
    this.runner.halt();
    await this.queue.pause();
    const stopped = await this.lifecycle.stopAll();
    return { body: { stopped } satisfies C0reAnswers['stopped'], audit: `stopped ${stopped}` };
  }

  private agent(name: string): Agent {
    const agent = this.agents.byName(name);
    if (!agent) throw new HiveError('not_found', `there is no agent named "${name}"`);
    return agent;
  }

  private record(agent: Agent) {
    return toRecord(agent, this.runner.pid(agent.id));
  }
}
