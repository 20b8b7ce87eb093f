import { Inject, Injectable } from '@nestjs/common';

import { formatId, HiveError } from '#libs/protocol';
import type { Logger } from '#libs/service';

import { AgentRepository } from '../agents/agent.repository.js';
import {
  isOver,
  OperationRepository,
  type AgentOperationKind,
  type HiveOperationKind,
  type Operation,
} from '../operations/operation.repository.js';
import { LOGGER } from '../settings/tokens.js';
import { restartText } from './restart-text.js';
import { RestartWindows } from './restart-windows.service.js';

/** Agents that are restarted at the same time: each start keeps a core busy for a moment. */
export const AT_A_TIME = 4;

/** What each agent goes through in an operation of the whole hive. */
const STEP = {
  restart_all: 'restart',
  update_all: 'rebuild',
} as const satisfies Record<HiveOperationKind, AgentOperationKind>;

/**
 * Restarts every agent that runs (PRODUCT 4.7): the manager first, and when it is back the others, a few at a time. Each
 * agent's part is an operation of its own, so that after a crash of c0re only what is not done yet goes on.
 */
@Injectable()
export class HiveRestart {
  constructor(
    private readonly agents: AgentRepository,
    private readonly operations: OperationRepository,
    private readonly windows: RestartWindows,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @param run carries out one step and settles when it is over, well or not. */
  async carryOut(operation: Operation, run: (step: Operation) => Promise<void>): Promise<void> {
    const key = formatId('o', operation.id);
    const steps = this.operations.steps(operation.id);
    const left = steps.filter((step) => !isOver(step)).flatMap(({ agent_id }) => agent_id ?? []);
    await this.windows.open({ operation: key, agents: left, text: restartText(operation) });
    const isManager = ({ agent_id }: Operation) =>
      agent_id !== null && this.agents.get(agent_id).role === 'manager';
    const oneStep = async (step: Operation) => {
      if (isOver(this.operations.get(step.id))) return;
      await run(step);
      const isDone = this.operations.get(step.id).state === 'done';
      if (isDone && step.agent_id !== null && !(await this.windows.arrived(key, step.agent_id))) {
        this.logger.warn({ agent: step.agent }, 'a restarted agent has not said hello yet');
        if (isManager(step)) throw new Error('the manager did not come back in time');
      }
    };
    try {
      for (const step of steps.filter(isManager)) await this.managers(step, oneStep);
      await eachOf(
        steps.filter((step) => !isManager(step)),
        oneStep,
      );
    } catch (error) {
      for (const { id, state } of this.operations.steps(operation.id)) {
        if (state === 'queued') this.operations.setState(id, 'cancelled', `${key} failed before`);
      }
      throw error;
    } finally {
      await this.windows.close(key);
    }
    this.assertAllWell(operation);
  }

  private async managers(step: Operation, run: (step: Operation) => Promise<void>): Promise<void> {
    await run(step);
    const { state, error } = this.operations.get(step.id);
    if (state !== 'failed') return;
    throw new HiveError(
      'conflict',
      `the manager could not be restarted, so no other agent was: ${error ?? ''}`,
    );
  }

  /** Records a step for each agent that is to run, inside the transaction that records the operation. */
  recordSteps({ id, kind, asked_by, reason }: Operation): void {
    const running = this.agents
      .living()
      .filter(({ wanted, container }) => wanted === 'running' && container !== null);
    const step = STEP[kind as HiveOperationKind];
    for (const agent of running) {
      this.operations.insert({ kind: step, agent_id: agent.id, asked_by, reason }, id);
    }
  }

  private assertAllWell({ id }: Operation): void {
    const steps = this.operations.steps(id);
    const failed = steps.filter(({ state }) => state === 'failed');
    if (failed.length === 0) return;
    const names = failed.map(({ agent }) => agent).join(', ');
    throw new HiveError(
      'conflict',
      `${failed.length} of ${steps.length} agents failed (${names}): ${failed[0]?.error ?? ''}`,
    );
  }
}

/** Works on a few of them at a time, in their order. Rejects with the first error when all have ended. */
export async function eachOf<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const worker = async () => {
    // All workers take from the one iterator.
    for (const item of left) await work(item);
  };
  const ends = await Promise.allSettled(Array.from({ length: AT_A_TIME }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
