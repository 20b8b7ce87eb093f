import { Inject, Injectable } from '@nestjs/common';

import { formatId, HiveError } from '#libs/protocol';
import type { Logger } from '#libs/service';

import type { Agent } from '../agents/agent.entity.js';
import { AgentRepository, type NewAgent } from '../agents/agent.repository.js';
import { failureText } from '../lifecycle/failure-text.js';
import { Lifecycle } from '../lifecycle/lifecycle.service.js';
import { RegistryPush } from '../registry/registry-push.service.js';
import { LOGGER } from '../settings/tokens.js';
import {
  isOver,
  OperationRepository,
  type Operation,
  type OperationKind,
} from './operation.repository.js';

/** What each operation makes wanted, from the moment it is asked for. */
const WANTED = {
  spawn: 'running',
  start: 'running',
  restart: 'running',
  stop: 'stopped',
  destroy: 'destroyed',
} as const satisfies Partial<Record<OperationKind, Agent['wanted']>>;

/**
 * Operations run one at a time in the order of their rows; stop does not wait in that line (P27). c0re carries out only
 * what it recorded, and goes on with it after a restart.
 */
@Injectable()
export class OperationQueue {
  private isWorking = false;
  private isPaused = true;
  private readonly runs = new Map<number, Promise<void>>();

  constructor(
    private readonly operations: OperationRepository,
    private readonly agents: AgentRepository,
    private readonly lifecycle: Lifecycle,
    private readonly registry: RegistryPush,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Puts back what a former c0re left in the middle, and begins to work. */
  start(): void {
    for (const operation of this.operations.open()) {
      if (operation.state === 'running') this.operations.setState(operation.id, 'queued');
    }
    this.isPaused = false;
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

  /**
   * Records the operation and sees to it. One that waits already and is the same is returned instead. `also` is written
   * in the same transaction.
   */
  ask(
    kind: OperationKind,
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
    else if (!this.runs.has(operation.id)) void this.run(operation);
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

  private record(kind: OperationKind, agent: Agent, askedBy: string, reason: string): Operation {
    if (this.isPaused) {
      throw new HiveError('unavailable', 'the hive is stopping; start it again first');
    }
    const open = this.operations.open(agent.id);
    const destroy = open.find((operation) => operation.kind === 'destroy');
    if (destroy && kind !== 'destroy') {
      throw new HiveError(
        'conflict',
        `${agent.name} is being destroyed by operation ${formatId('o', destroy.id)}`,
      );
    }
    const last = open.at(-1);
    // Two deploys are never the same: each has its own commit.
    if (last?.kind === kind && kind !== 'deploy' && (last.state === 'queued' || kind === 'destroy'))
      return last;
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

  private async work(): Promise<void> {
    if (this.isWorking) return;
    this.isWorking = true;
    try {
      for (;;) {
        const next = this.operations
          .open()
          .find(({ kind, state }) => kind !== 'stop' && state === 'queued');
        if (!next || this.isPaused) return;
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
      await this.lifecycle.carryOut(operation);
      if (kind === 'destroy') {
        freeLine();
        await this.registry.confirmed();
      }
      this.operations.setState(id, 'done');
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
  return state === 'queued' && (kind === 'start' || kind === 'restart');
}
