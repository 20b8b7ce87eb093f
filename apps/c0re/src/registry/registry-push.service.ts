import { Inject, Injectable } from '@nestjs/common';

import { registryDigest, RpcClient, socketPath } from '#libs/ipc';
import { HiveError, type BrokerC0reApi, type Identity, type RegistryAgent } from '#libs/protocol';
import type { Clock, Logger } from '#libs/service';

import { toRegistry, type Agent } from '../agents/agent.entity.js';
import { AgentRepository } from '../agents/agent.repository.js';
import { OperationRepository, toOperationRow } from '../operations/operation.repository.js';
import { C0reSettings } from '../settings/c0re.settings.js';
import { CLOCK, LOGGER } from '../settings/tokens.js';

/** How often both copies are compared (P26), in milliseconds. */
const COMPARE_MS = 60_000;
/** Longest that an operation waits for a broker that is there, in milliseconds. */
const SETTLE_MS = 5000;
/** How long a question about a token waits for a broker that is away, in milliseconds. */
const IDENTIFY_WAIT_MS = 3000;
/** Wait after the broker refused something, in milliseconds. */
const REFUSED_MS = 1000;
/** Changes that wait at most; past it the whole registry is pushed instead. */
const MOST_PENDING = 1000;
/** Operations in one `publish`. */
const OPERATIONS_PER_CALL = 100;

/** Tells the broker something; called again until it does not throw. */
export type Feed = (
  call: <K extends keyof BrokerC0reApi>(
    method: K,
    params: BrokerC0reApi[K][0],
  ) => Promise<BrokerC0reApi[K][1]>,
) => Promise<void>;

/**
 * Keeps the broker's copy of the registry in step (P26): whole after each connect, then each change in order; tells it
 * of harnesses that are gone and of operations. With the broker away nothing here waits or is lost: it all stands in
 * c0re.db and is caught up.
 */
@Injectable()
export class RegistryPush {
  private readonly client: RpcClient<BrokerC0reApi>;
  private pending: { revision: number; agent: RegistryAgent }[] = [];
  private readonly feeds: Feed[] = [];
  private connections = 0;
  /** Revision of the broker's copy; undefined: not known, the whole is pushed next. */
  private sent: number | undefined;
  private isBusy = false;
  private isAskedAgain = false;
  private isClosed = false;
  private readonly waiters = new Set<{ revision: number; resolve: () => void }>();
  private cancelTimers: (() => void)[] = [];

  constructor(
    private readonly settings: C0reSettings,
    private readonly agents: AgentRepository,
    private readonly operations: OperationRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.client = new RpcClient<BrokerC0reApi>({
      path: socketPath(settings.runtimeDir, 'broker', 'c0re'),
      onConnect: () => {
        this.sent = undefined;
        this.connections += 1;
        setImmediate(() => this.kick());
      },
      onDisconnect: () => {
        this.sent = undefined;
        this.logger.info('the broker is away; what it has to know waits in c0re.db');
      },
      onBug: (error) => this.logger.error({ err: error }, 'the connection to the broker broke'),
    });
    agents.onRegistryChange((agent, revision) => this.take(agent, revision));
    operations.onChange(() => this.kick());
  }

  start(): void {
    this.client.start();
    const compare = () => {
      void this.compare().finally(() => {
        if (!this.isClosed) this.cancelTimers = [this.clock.after(COMPARE_MS, compare)];
      });
    };
    this.cancelTimers = [this.clock.after(COMPARE_MS, compare)];
  }

  close(): void {
    this.isClosed = true;
    for (const cancel of this.cancelTimers) cancel();
    this.client.close();
  }

  /** Whether the broker is known to have the newest registry. */
  get isInStep(): boolean {
    return this.client.isConnected && this.sent === this.agents.revision();
  }

  /** Waits until the broker has what was changed so far; not at all when it is away, and never long (P26, P27). */
  async settled(): Promise<void> {
    if (!this.client.isConnected || this.isInStep) return;
    await Promise.race([
      this.confirmed(),
      new Promise<void>((resolve) => {
        this.clock.after(SETTLE_MS, resolve);
      }),
    ]);
  }

  /** Waits, however long it takes, until the broker has what was changed so far (P25). */
  confirmed(): Promise<void> {
    if (this.isInStep) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiters.add({ revision: this.agents.revision(), resolve });
      this.kick();
    });
  }

  /** Adds what else the broker is told, after the registry: called on each `kick` and each connect. */
  addFeed(feed: Feed): void {
    this.feeds.push(feed);
  }

  /** Number of the newest connection: what a broker keeps in memory is told anew on each. */
  get connection(): number {
    return this.connections;
  }

  /** Who may act with the token of this hash now, as the broker knows it; `unavailable` while it is away. */
  identify(credential: string): Promise<Identity> {
    return this.client.call('identify', { credential }, { connectWaitMs: IDENTIFY_WAIT_MS });
  }

  get isConnected(): boolean {
    return this.client.isConnected;
  }

  /** Tells the broker what it does not know yet, now. */
  kick(): void {
    if (this.isBusy) this.isAskedAgain = true;
    else if (this.client.isConnected && !this.isClosed) void this.catchUp();
  }

  private take(agent: Agent, revision: number): void {
    if (agent.tokenHash === null) return;
    this.pending.push({ revision, agent: this.entry(agent, agent.tokenHash) });
    if (this.pending.length > MOST_PENDING) {
      this.pending = [];
      this.sent = undefined;
    }
    this.kick();
  }

  private async catchUp(): Promise<void> {
    this.isBusy = true;
    try {
      do {
        this.isAskedAgain = false;
        await this.pushRegistry();
        await this.reportEnds();
        await this.publishOperations();
        for (const feed of this.feeds) await feed((method, params) => this.ask(method, params));
      } while (this.isAskedAgain);
    } catch (error) {
      if (!(error instanceof HiveError) || error.code !== 'unavailable') {
        this.logger.error({ err: error }, 'the broker refused what c0re told it');
        this.sent = undefined;
        this.cancelTimers.push(this.clock.after(REFUSED_MS, () => this.kick()));
      }
    } finally {
      this.isBusy = false;
      if (this.isAskedAgain) this.kick();
    }
  }

  private async pushRegistry(): Promise<void> {
    if (this.sent === undefined) await this.pushWhole();
    for (let next = this.pending[0]; next !== undefined; next = this.pending[0]) {
      try {
        await this.ask('put_agent', next);
      } catch (error) {
        if (!(error instanceof HiveError) || error.code !== 'conflict') throw error;
        this.logger.warn({ revision: next.revision }, 'the broker missed a change: all is pushed');
        await this.pushWhole();
        continue;
      }
      // A whole push that was asked for meanwhile has emptied the list.
      if (this.pending[0] === next) this.pending.shift();
      this.nowSent(next.revision);
    }
  }

  private async pushWhole(): Promise<void> {
    const revision = this.agents.revision();
    this.pending = [];
    await this.ask('put_registry', { revision, agents: this.entries() });
    this.nowSent(revision);
  }

  private nowSent(revision: number): void {
    this.sent = revision;
    for (const waiter of this.waiters) {
      if (waiter.revision <= revision) {
        this.waiters.delete(waiter);
        waiter.resolve();
      }
    }
  }

  private async reportEnds(): Promise<void> {
    for (const { id, tokenHash, endedInstance } of this.agents.withUnreportedEnd()) {
      if (tokenHash !== null) {
        try {
          await this.ask('instance_ended', { agent_id: String(id), instance: endedInstance });
        } catch (error) {
          if (!(error instanceof HiveError) || error.code !== 'not_found') throw error;
        }
      }
      this.agents.change(id, { reportedInstance: endedInstance });
    }
  }

  private async publishOperations(): Promise<void> {
    for (;;) {
      const batch = this.operations.unpublished(OPERATIONS_PER_CALL);
      if (batch.length === 0) return;
      await this.ask('publish', {
        events: batch.map((operation) => ({
          kind: 'operation_changed',
          operation: toOperationRow(operation),
        })),
      });
      this.operations.markPublished(batch);
    }
  }

  private async compare(): Promise<void> {
    const revision = this.agents.revision();
    if (!this.isInStep || this.isBusy) return;
    try {
      const theirs = await this.ask('registry_revision', {});
      if (this.agents.revision() !== revision || this.isBusy) return;
      if (theirs.revision === revision && theirs.digest === registryDigest(this.entries())) return;
      this.logger.warn({ revision, theirs: theirs.revision }, "the broker's registry differs");
      this.sent = undefined;
      this.kick();
    } catch (error) {
      this.logger.warn({ err: error }, 'the registries could not be compared');
    }
  }

  /** A request to the broker that is there now. @throws HiveError `unavailable` when it is not. */
  ask<K extends keyof BrokerC0reApi>(
    method: K,
    params: BrokerC0reApi[K][0],
  ): Promise<BrokerC0reApi[K][1]> {
    return this.client.call(method, params, { connectWaitMs: 0 });
  }

  private entries(): RegistryAgent[] {
    return this.agents
      .living()
      .flatMap((agent) => (agent.tokenHash === null ? [] : [this.entry(agent, agent.tokenHash)]));
  }

  private entry(agent: Agent, tokenHash: string): RegistryAgent {
    return toRegistry(agent, tokenHash, this.settings.home.agent(agent.folder).run);
  }
}
