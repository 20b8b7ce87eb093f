import { Inject, Injectable } from '@nestjs/common';

import { formatId, isoTime, type SelfCheck as Report } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import type { Agent } from '../agents/agent.entity.js';
import { AgentRepository } from '../agents/agent.repository.js';
import type { ContainerDriver } from '../containers/container-driver.js';
import { environmentOf } from '../containers/process/process-table.js';
import { AgentLocks } from '../lifecycle/agent-locks.js';
import { AgentMaker } from '../lifecycle/agent-maker.service.js';
import { AgentRunner } from '../lifecycle/agent-runner.service.js';
import { failureText } from '../lifecycle/failure-text.js';
import { OperationRepository } from '../operations/operation.repository.js';
import { CLOCK, CONTAINER_DRIVER, LOGGER } from '../settings/tokens.js';
import { HarnessWatch } from './harness-watch.service.js';

const EVERY_MS = 60_000;
/** Longest that an operation waits or runs before that is a problem, in milliseconds. */
const OPERATION_MS = 900_000;
/** What the harness gives its CLI, and nothing else has: the turn it works on. */
const TURN = 'HIVE_TURN_ID';

type Problem = Report['problems'][number];

/**
 * Compares what is recorded with what is there, both ways (PRODUCT 8.6): containers and records, turns and processes,
 * operations and their bounds. One agent that cannot be looked at is a problem, and does not keep others from being looked at.
 */
@Injectable()
export class SelfCheck {
  private last: Report | undefined;
  private cancel = () => {};
  private isClosed = false;

  constructor(
    private readonly agents: AgentRepository,
    private readonly operations: OperationRepository,
    private readonly maker: AgentMaker,
    private readonly runner: AgentRunner,
    private readonly locks: AgentLocks,
    private readonly watch: HarnessWatch,
    @Inject(CONTAINER_DRIVER) private readonly driver: ContainerDriver,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Checks every minute from now on. */
  start(): void {
    void this.run()
      .catch((error: unknown) => this.logger.error({ err: error }, 'the self-check broke'))
      .finally(() => {
        if (!this.isClosed) this.cancel = this.clock.after(EVERY_MS, () => this.start());
      });
  }

  close(): void {
    this.isClosed = true;
    this.cancel();
  }

  /** Checks now. New problems are logged. */
  async run(): Promise<Report> {
    const problems = [
      ...(await this.strays()),
      ...(await this.everyAgent()),
      ...this.lateOperations(),
    ];
    const known = new Set(this.last?.problems.map(({ message }) => message));
    for (const found of problems) {
      if (!known.has(found.message)) this.logger.warn(found, 'the self-check found a problem');
    }
    this.last = { checked_at: isoTime(this.clock.now()), problems };
    return this.last;
  }

  /** Containers without a record. */
  private async strays(): Promise<Problem[]> {
    try {
      const ids = await this.driver.strays();
      return ids
        .filter((id) => this.agents.find(id)?.destroyedAt !== null)
        .map((id) => problem('container', `something of agent ${id} runs, which does not exist`));
    } catch (error) {
      return [problem('container', `containers could not be listed: ${failureText(error)}`)];
    }
  }

  private async everyAgent(): Promise<Problem[]> {
    const before = await this.inTurns();
    const found: Problem[] = [];
    for (const { id, name, container } of this.agents.living()) {
      if (!container) continue;
      try {
        // Not in the middle of a start or stop.
        found.push(...(await this.locks.run(id, () => this.oneAgent(id, before))));
      } catch (error) {
        found.push(problem('container', `${name} could not be looked at: ${failureText(error)}`));
      }
    }
    return found;
  }

  private async oneAgent(id: number, before: ReadonlySet<number> | undefined): Promise<Problem[]> {
    const agent = this.agents.get(id);
    if (agent.destroyedAt !== null) return [];
    const pids = await this.driver.inspect(this.maker.owner(agent));
    const found = this.containerProblems(agent, pids);
    const after = await this.inTurns();
    if (!before || !after) return found;
    if (before.has(id) && after.has(id) && !this.runner.isRunning(id)) {
      found.push(problem('turn', `${agent.name} has a running turn and no process`));
    }
    const isIdle = !before.has(id) && !after.has(id);
    if (isIdle && pids.some((pid) => environmentOf(pid, TURN) !== undefined)) {
      found.push(problem('turn', `${agent.name} has a process of a turn, and no running turn`));
    }
    return found;
  }

  private containerProblems({ id, name, state }: Agent, pids: readonly number[]): Problem[] {
    if (this.runner.isRunning(id)) {
      if (pids.length > 0) return [];
      return [problem('container', `${name} is recorded as running, and nothing of it runs`)];
    }
    if (pids.length === 0) return [];
    return [problem('container', `${name} is ${state}, and ${pids.length} processes of it run`)];
  }

  /** Ids of agents in a running turn; undefined while the broker is away. */
  private async inTurns(): Promise<ReadonlySet<number> | undefined> {
    const signs = await this.watch.signs().catch(() => undefined);
    return (
      signs && new Set(signs.agents.filter(({ turn }) => turn).map((sign) => Number(sign.agent_id)))
    );
  }

  private lateOperations(): Problem[] {
    const now = this.clock.now();
    return this.operations
      .open()
      .filter(({ asked_at, parent }) => parent === null && now - asked_at > OPERATION_MS)
      .map(({ id, kind, state }) =>
        problem('operation', `operation ${formatId('o', id)} (${kind}) is ${state} for too long`),
      );
  }
}

function problem(check: Problem['check'], message: string): Problem {
  return { check, message };
}
