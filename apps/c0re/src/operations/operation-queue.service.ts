import { Inject, Injectable } from '@nestjs/common';

import { formatId, HiveError } from '#libs/protocol';
import type { Logger } from '#libs/service';

import type { Agent } from '../agents/agent.entity.js';
import { AgentRepository, type NewAgent } from '../agents/agent.repository.js';
import { failureText } from '../lifecycle/failure-text.js';
import { Lifecycle, type AgentOperation } from '../lifecycle/lifecycle.service.js';
import { RegistryPush } from '../registry/registry-push.service.js';
import { HiveRestart } from '../restarts/hive-restart.service.js';
import { LOGGER } from '../settings/tokens.js';
import { OperationGrants } from './operation-grants.js';
import {
  isOver,
  OperationRepository,
  type AgentOperationKind,
  type HiveOperationKind,
  type Operation,
  type OperationKind,
} from './operation.repository.js';

/** What each operation makes wanted, from the moment it is asked for. */
const WANTED = {
  spawn: 'running',
  start: 'running',
  restart: 'running',
  rebuild: 'running',
  revive: 'running',
  stop: 'stopped',
  destroy: 'destroyed',
  purge: 'destroyed',
} as const satisfies Partial<Record<AgentOperationKind, Agent['wanted']>>;
/** After these nothing else is taken until they are over. */
const ENDING: ReadonlySet<OperationKind> = new Set(['destroy', 'purge']);

/**
 * Operations run one at a time in the order of their rows; stop does not wait in that line (P27). c0re carries out only
 * what it recorded, and goes on with it after a restart.
 */
@Injectable()
export class OperationQueue {
  private isWorking = false;
  private isPaused = true;
  private isHeld = true;
  private readonly runs = new Map<number, Promise<void>>();

  constructor(
    private readonly operations: OperationRepository,
    private readonly agents: AgentRepository,
    private readonly lifecycle: Lifecycle,
    private readonly hiveRestart: HiveRestart,
    private readonly grants: OperationGrants,
    private readonly registry: RegistryPush,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Puts back what a former c0re left in the middle, and takes what is asked for. */
  start(): void {
    for (const operation of this.operations.open()) {
      if (operation.state === 'running') this.operations.setState(operation.id, 'queued');
    }
    this.isPaused = false;
  }

  /** Begins to work; until then what is asked for is recorded and waits. */
  begin(): void {
    this.isHeld = false;
    for (const operation of this.operations.open()) {
      if (operation.kind === 'stop') void this.run(operation);
    }
    void this.work();
  }

  /** Begins nothing new; what waits stays for the next start. Settles when what runs has ended. */
  async pause(): Promise<void> {
    this.isPaused = true;
    await Promise.allSettled(this.runs.values());
  }

  /** The same for the whole hive. */
  askHive(kind: HiveOperationKind, askedBy: string, reason: string): Operation {
    const operation = this.operations.together(() => {
      this.assertOpen();
      const waiting = this.operations
        .openOfHive()
        .find((open) => open.kind === kind && open.state === 'queued');
      if (waiting) return waiting;
      const recorded = this.operations.insert({ kind, agent_id: null, asked_by: askedBy, reason });
      this.hiveRestart.recordSteps(recorded);
      return recorded;
    });
    void this.work();
    return operation;
  }

  /**
   * Records the operation and sees to it. One that waits already and is the same is returned instead. `also` is written
   * in the same transaction.
   */
  ask(
    kind: AgentOperationKind,
    agent: Agent,
    askedBy: string,
    reason: string,
    also: (operation: Operation) => void = () => {},
  ): Operation {
    const operation = this.operations.together(() => {
      const recorded = this.record(kind, agent, askedBy, reason);
      also(recorded);
      return recorded;
    });
    if (kind !== 'stop') void this.work();
    else if (!this.isHeld && !this.runs.has(operation.id)) void this.run(operation);
    return operation;
  }

  /** Records a new agent together with the operation that makes it. */
  askSpawn(
    newAgent: NewAgent,
    askedBy: string,
    reason: string,
    also: (operation: Operation) => void = () => {},
  ): Operation {
    const operation = this.operations.together(() => {
      const recorded = this.record('spawn', this.agents.insert(newAgent), askedBy, reason);
      also(recorded);
      return recorded;
    });
    void this.work();
    return operation;
  }

  /** Settles with the row when the operation is over. */
  ended(id: number): Promise<Operation> {
    return new Promise((resolve) => {
      const look = () => {
        const operation = this.operations.get(id);
        if (!isOver(operation)) return;
        forget();
        resolve(operation);
      };
      const forget = this.operations.onChange((changed) => {
        if (changed === id) look();
      });
      look();
    });
  }

  private assertOpen(): void {
    if (this.isPaused) {
      throw new HiveError('unavailable', 'the hive is stopping; start it again first');
    }
  }

  private record(
    kind: AgentOperationKind,
    agent: Agent,
    askedBy: string,
    reason: string,
  ): Operation {
    this.assertOpen();
    const open = this.operations.open(agent.id);
    const ending = open.find((operation) => ENDING.has(operation.kind));
    if (ending && kind !== ending.kind) {
      const what = ending.kind === 'destroy' ? 'destroyed' : 'purged';
      throw new HiveError(
        'conflict',
        `${agent.name} is being ${what} by operation ${formatId('o', ending.id)}`,
      );
    }
    const last = open.findLast(({ parent }) => parent === null);
    // Two deploys are never the same: each has its own commit.
    const isSame = last?.kind === kind && kind !== 'deploy';
    if (isSame && (last.state === 'queued' || ENDING.has(kind))) return last;
    if (kind === 'revive') this.raise(agent);
    const operation = this.operations.insert({
      kind,
      agent_id: agent.id,
      asked_by: askedBy,
      reason,
    });
    if (kind === 'stop') {
      for (const { id } of open.filter(isStart)) {
        const by = formatId('o', operation.id);
        this.operations.setState(id, 'cancelled', `the agent was stopped by operation ${by}`);
      }
    }
    if (kind !== 'deploy') this.agents.change(agent.id, { wanted: WANTED[kind] });
    return operation;
  }

  /** The agent has its name from now on; its old token stays dead. */
  private raise(agent: Agent): void {
    if (this.agents.byName(agent.name)) {
      throw new HiveError(
        'name_taken',
        `there is a living agent named "${agent.name}"; destroy it before the other is revived`,
      );
    }
    if (agent.deployedSha === null) {
      throw new HiveError('conflict', `"${agent.name}" was never made; purge it and spawn it anew`);
    }
    this.agents.change(agent.id, {
      destroyedAt: null,
      stage: 'claimed',
      tokenHash: null,
      state: 'stopped',
      reason: '',
    });
  }

  private async work(): Promise<void> {
    if (this.isWorking || this.isHeld) return;
    this.isWorking = true;
    try {
      while (!this.isPaused) {
        const next = this.operations
          .open()
          .find(
            ({ kind, state, parent }) => kind !== 'stop' && state === 'queued' && parent === null,
          );
        if (!next) return;
        await this.grants.turnOf(next.id);
        // Meanwhile c0re may have been told to stop, which closes its database, or the row was taken back.
        if (this.isPaused) return;
        if (this.operations.get(next.id).state !== 'queued') continue;
        await this.run(next);
      }
    } finally {
      this.isWorking = false;
    }
  }

  /** Settles when the line may go on; a destroy that only waits for the broker does not hold it up. */
  private async run(operation: Operation): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.runs.set(operation.id, promise);
    void this.carryOut(operation, resolve);
    await promise;
    this.runs.delete(operation.id);
  }

  private async carryOut(operation: Operation, freeLine: () => void): Promise<void> {
    const { id, kind, agent } = operation;
    this.operations.setState(id, 'running');
    try {
      if (isOfAgent(operation)) await this.lifecycle.carryOut(operation);
      else await this.hiveRestart.carryOut(operation, (step) => this.run(step));
      if (kind === 'destroy') {
        freeLine();
        await this.registry.confirmed();
      }
      this.operations.together(() => {
        this.operations.setState(id, 'done');
        if (isOfAgent(operation)) this.lifecycle.tellManager(operation);
      });
      this.logger.info({ operation: formatId('o', id), kind, agent }, 'operation done');
    } catch (error) {
      this.logger.error(
        { err: error, operation: formatId('o', id), kind, agent },
        'operation failed',
      );
      this.operations.setState(id, 'failed', failureText(error));
    } finally {
      freeLine();
    }
  }
}

function isStart({ kind, state }: Operation): boolean {
  return state === 'queued' && (kind === 'start' || kind === 'restart' || kind === 'rebuild');
}

function isOfAgent(operation: Operation): operation is AgentOperation {
  return operation.agent_id !== null;
}
