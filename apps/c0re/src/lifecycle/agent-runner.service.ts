import { Inject, Injectable } from '@nestjs/common';

import type { Clock, Logger } from '#libs/service';

import type { Agent } from '../agents/agent.entity.js';
import { AgentRepository } from '../agents/agent.repository.js';
import type {
  ContainerDriver,
  ContainerExit,
  RunningContainer,
} from '../containers/container-driver.js';
import { C0reDatabase } from '../database/c0re.database.js';
import { AgentFolders } from '../folders/agent-folders.service.js';
import { ManagerNews } from '../manager/manager-news.repository.js';
import { RegistryPush } from '../registry/registry-push.service.js';
import { AgentSecrets } from '../secrets/agent-secrets.service.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import { CLOCK, CONTAINER_DRIVER, LOGGER } from '../settings/tokens.js';
import { AgentLocks } from './agent-locks.js';
import { AgentMaker } from './agent-maker.service.js';
import { egressHosts } from './egress-hosts.js';
import { failureText } from './failure-text.js';
import { harnessConfig, harnessProgram } from './harness-launch.js';
import { LifeSteps } from './steps.js';

/** Exit code by which a harness says that its environment or configuration cannot work. */
const MISCONFIGURED = 2;

/** Starts of an agent that failed one after the other. */
interface Crashes {
  count: number;
  cancelRetry: () => void;
}

/**
 * Runs the agents' containers: launches, ends, watches. A harness that ends without being asked is started again with
 * back-off and a higher instance number (PRODUCT 5.1, P4).
 */
@Injectable()
export class AgentRunner {
  private readonly running = new Map<number, { container: RunningContainer; since: number }>();
  private readonly crashes = new Map<number, Crashes>();
  /** Set while the hive stops: nothing is started any more. */
  private isHalted = false;

  constructor(
    private readonly settings: C0reSettings,
    private readonly agents: AgentRepository,
    private readonly folders: AgentFolders,
    private readonly secrets: AgentSecrets,
    private readonly registry: RegistryPush,
    private readonly maker: AgentMaker,
    private readonly locks: AgentLocks,
    private readonly news: ManagerNews,
    private readonly database: C0reDatabase,
    private readonly steps: LifeSteps,
    @Inject(CONTAINER_DRIVER) private readonly driver: ContainerDriver,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Starts nothing from now on; what runs goes on. */
  halt(): void {
    this.isHalted = true;
    for (const { cancelRetry } of this.crashes.values()) cancelRetry();
  }

  isRunning(id: number): boolean {
    return this.running.has(id);
  }

  /** How long the container runs, or is watched, in milliseconds; undefined: none does. */
  runsFor(id: number): number | undefined {
    const entry = this.running.get(id);
    return entry && this.clock.monotonic() - entry.since;
  }

  runningIds(): number[] {
    return [...this.running.keys()];
  }

  /** Process id of the harness; null when none runs. */
  pid(id: number): number | null {
    return this.running.get(id)?.container.pid ?? null;
  }

  /** Takes over the container that c0re's predecessor started, when it still runs (P28). */
  adopt(agent: Agent): boolean {
    if (!agent.container || agent.handle === null) return false;
    const container = this.driver.adopt(this.maker.owner(agent), agent.handle);
    if (!container) return false;
    this.watch(agent.id, container);
    this.agents.change(agent.id, { state: 'running', reason: '' });
    return true;
  }

  /** Starts the agent when it is wanted and does not run. The caller holds the agent's lock. */
  async launch(id: number): Promise<void> {
    const agent = this.agents.get(id);
    if (this.isHalted || this.running.has(id) || agent.wanted !== 'running') return;
    this.crashes.get(id)?.cancelRetry();
    if (!agent.container) {
      this.agents.change(id, { state: 'running', reason: '' });
      return;
    }
    try {
      await this.endLeftovers(agent);
      await this.startContainer(agent);
    } catch (error) {
      this.crashed(id, failureText(error));
      throw error;
    }
  }

  /** How the container ended, when it did so within the time that one takes that cannot work; undefined: it stays up. */
  async endsSoon(id: number): Promise<string | undefined> {
    const entry = this.running.get(id);
    if (!entry) return undefined;
    const { promise: stays, resolve } = Promise.withResolvers<undefined>();
    const cancel = this.clock.after(this.settings.timings.settleMs, () => resolve(undefined));
    const exit = await Promise.race([entry.container.exited, stays]);
    cancel();
    return exit && describe(exit);
  }

  /** Ends everything of the agent and proves it. The caller holds the agent's lock. */
  async end(id: number): Promise<void> {
    const agent = this.agents.get(id);
    this.crashes.get(id)?.cancelRetry();
    this.crashes.delete(id);
    if (agent.container) {
      const entry = this.running.get(id);
      this.running.delete(id);
      this.agents.change(id, { state: 'stopping', reason: '' });
      this.steps.reached('stopping', id);
      try {
        await this.driver.stop(this.maker.owner(agent), entry?.container, this.settings.timings);
      } catch (error) {
        this.agents.change(id, { state: 'crashed', reason: failureText(error) });
        throw error;
      }
    }
    this.steps.reached('ended', id);
    this.agents.change(id, {
      state: 'stopped',
      reason: '',
      handle: null,
      endedInstance: agent.instance,
    });
    this.steps.reached('stopped', id);
    this.registry.kick();
  }

  private async startContainer(before: Agent): Promise<void> {
    const owner = this.maker.owner(before);
    const secrets = this.secrets.resolve(before.name, before.config);
    const paths = this.folders.prepare(before.folder, owner.user);
    // The number is on disk before the process is: none is ever given twice.
    const agent = this.agents.change(before.id, {
      state: 'starting',
      reason: '',
      // The hive may have been started with another driver since the agent was made.
      container: this.driver.name,
      instance: before.instance + 1,
    });
    this.steps.reached('instance-counted', agent.id);
    this.folders.writeHarnessConfig(paths, harnessConfig(agent, secrets), owner.user);
    this.folders.writeEgress(paths, egressHosts(agent.config));
    await this.registry.settled();
    const program = harnessProgram(this.settings, agent, paths, this.driver);
    const container = await this.driver.start(owner, program);
    this.steps.reached('container-started', agent.id);
    this.watch(agent.id, container);
    this.agents.change(agent.id, { state: 'running', handle: container.handle });
    this.steps.reached('running', agent.id);
    this.logger.info(
      { agent: agent.name, instance: agent.instance, harness: container.pid },
      'harness started',
    );
  }

  /** Before a harness starts, nothing of an earlier one may live (P4). */
  private async endLeftovers(agent: Agent): Promise<void> {
    const { timings } = this.settings;
    await this.driver.stop(this.maker.owner(agent), undefined, timings);
    if (agent.endedInstance < agent.instance) {
      this.agents.change(agent.id, { handle: null, endedInstance: agent.instance });
      this.registry.kick();
    }
  }

  private watch(id: number, container: RunningContainer): void {
    this.running.set(id, { container, since: this.clock.monotonic() });
    void container.exited
      .then((exit) => this.locks.run(id, () => this.onExit(id, container, exit)))
      .catch((error: unknown) =>
        this.logger.error({ err: error, agent_id: id }, 'a crashed agent could not be cleaned up'),
      );
  }

  private async onExit(
    id: number,
    container: RunningContainer,
    exit: ContainerExit,
  ): Promise<void> {
    const entry = this.running.get(id);
    if (entry?.container !== container) return; // It was asked to end.
    this.running.delete(id);
    const agent = this.agents.get(id);
    if (this.clock.monotonic() - entry.since >= this.settings.timings.stableMs) {
      this.crashes.delete(id);
    }
    this.logger.warn(
      { agent: agent.name, instance: agent.instance, ...exit },
      'a harness ended without being asked',
    );
    try {
      await this.driver.stop(this.maker.owner(agent), container, this.settings.timings);
    } catch (error) {
      this.crashed(id, describe(exit));
      throw error;
    }
    this.database.together(() => {
      this.agents.change(id, { handle: null, endedInstance: agent.instance });
      this.crashed(id, describe(exit));
    });
  }

  /** Ends a container whose program lives and does nothing any more, and starts it again as after a crash. */
  async endSilent(id: number, why: string): Promise<void> {
    await this.locks.run(id, async () => {
      const entry = this.running.get(id);
      const agent = this.agents.get(id);
      if (!entry || agent.wanted !== 'running') return;
      this.logger.warn(
        { agent: agent.name, instance: agent.instance },
        `a harness is ended: ${why}`,
      );
      this.running.delete(id);
      await this.driver.stop(this.maker.owner(agent), entry.container, this.settings.timings);
      this.database.together(() => {
        this.agents.change(id, { handle: null, endedInstance: agent.instance });
        this.crashed(id, why);
      });
    });
  }

  /** Notes that the container of an agent that should run ended while no c0re watched it. */
  endedUnseen(id: number): void {
    this.database.together(() => this.crashed(id, describe({ code: null, signal: null })));
  }

  /** Notes the crash and starts the agent again after a wait that grows. */
  private crashed(id: number, why: string): void {
    const { firstBackOffMs, longestBackOffMs } = this.settings.timings;
    const count = (this.crashes.get(id)?.count ?? 0) + 1;
    const waitMs = Math.min(firstBackOffMs * 2 ** (count - 1), longestBackOffMs);
    const isRetried = !this.isHalted && this.agents.get(id).wanted === 'running';
    // First of all: on a full disk the row below cannot be written, and the agent must come back all the same.
    const cancelRetry = isRetried ? this.clock.after(waitMs, () => void this.retry(id)) : () => {};
    this.crashes.set(id, { count, cancelRetry });
    const next = isRetried ? `; started again after ${waitMs / 1000} s` : '';
    this.agents.change(id, { state: 'crashed', reason: `${why}${next}` });
    // One of a row of crashes is news; the others follow from it.
    if (count === 1 && this.agents.get(id).wanted === 'running') {
      this.news.add('container_crash', `${this.agents.get(id).name} crashed: ${why}${next}`);
    }
    this.registry.kick();
  }

  private async retry(id: number): Promise<void> {
    try {
      await this.locks.run(id, () => this.launch(id));
    } catch (error) {
      this.logger.error({ err: error, agent_id: id }, 'a crashed agent could not be started again');
    }
  }
}

function describe({ code, signal }: ContainerExit): string {
  if (signal !== null) return `the harness was ended by ${signal}`;
  if (code !== null) {
    const hint =
      code === MISCONFIGURED ? ' (it cannot work as it is configured; see its journal)' : '';
    return `the harness ended with exit code ${code}${hint}`;
  }
  return 'the harness is gone';
}
