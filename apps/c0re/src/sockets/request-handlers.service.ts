import { Inject, Injectable } from '@nestjs/common';

import {
  formatId,
  HiveError,
  parseId,
  type C0reAnswers,
  type C0reHealth,
  type SpawnBody,
} from '#libs/protocol';
import type {
  JournalQuery,
  LoginRequest,
  OperationRequest,
  OperationsQuery,
  WaitQuery,
} from '#libs/requests';
import type { Clock } from '#libs/service';

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
import {
  isOver,
  OperationRepository,
  toOperationRow,
  type Operation,
  type OperationKind,
} from '../operations/operation.repository.js';
import { OperatorCredentials } from '../operators/operator-credentials.service.js';
import { RegistryPush } from '../registry/registry-push.service.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import { CLOCK, CONTAINER_DRIVER } from '../settings/tokens.js';
import type { C0reAnswer, C0reRequest, RequestHandlers } from './request-handler.js';

/** Longest that `wait=1` holds an answer back; peers give up after two minutes. */
const LONGEST_WAIT_MS = 100_000;

/** What each request of the table does. */
@Injectable()
export class C0reRequestHandlers {
  readonly byRoute: RequestHandlers = {
    health: (request) => this.health(request),
    try_drivers: () => this.tryDrivers(),
    login: (request) => this.login(request),
    check_session: ({ credential }) => ({ body: this.operators.check(credential) }),
    logout: ({ credential }) => this.logout(credential),
    create_login_link: () => ({ body: this.operators.createLoginLink() }),
    list_agents: () => this.listAgents(),
    get_agent: ({ name }) => this.getAgent(name),
    read_journal: (request) => this.journal(request),
    list_operations: (request) => this.listOperations(request),
    spawn: (request) => this.spawn(request),
    start: (request) => this.operate('start', request),
    stop: (request) => this.operate('stop', request),
    restart: (request) => this.operate('restart', request),
    destroy: (request) => this.operate('destroy', request),
    stop_all: () => this.stopAll(),
  };

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
    private readonly trials: DriverTrials,
    @Inject(CONTAINER_DRIVER) private readonly driver: ContainerDriver,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

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
    return this.answer(operation, query);
  }

  private operate(
    kind: OperationKind,
    { name, body, query, askedBy }: C0reRequest,
  ): Promise<C0reAnswer> {
    const { reason = '' }: OperationRequest = body;
    const operation = this.queue.ask(kind, this.agent(name), askedBy, reason);
    return this.answer(operation, query);
  }

  /** The operation as it is now, or with `wait=1` as it ended: a failed one is an answer, not an error. */
  private async answer(asked: Operation, query: object): Promise<C0reAnswer> {
    const operation = (query as WaitQuery).wait === '1' ? await this.ended(asked) : asked;
    return {
      status: isOver(operation) ? 200 : 202,
      body: { operation: toOperationRow(operation) } satisfies C0reAnswers['operation'],
      audit: formatId('o', operation.id),
      target: operation.agent,
    };
  }

  /** The operation when it is over, or as it is when the caller's patience must be nearly at its end. */
  private async ended({ id }: Operation): Promise<Operation> {
    const { promise: timeOut, resolve } = Promise.withResolvers<void>();
    const cancel = this.clock.after(LONGEST_WAIT_MS, resolve);
    await Promise.race([this.queue.ended(id), timeOut]);
    cancel();
    return this.operations.get(id);
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
