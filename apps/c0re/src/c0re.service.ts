import { Inject, Injectable } from '@nestjs/common';

import type { Clock, Logger } from '#libs/service';

import { Approvals } from './approvals/approvals.service.js';
import { C0reDatabase } from './database/c0re.database.js';
import { AgentFolders } from './folders/agent-folders.service.js';
import { HarnessWatch } from './health/harness-watch.service.js';
import { SelfCheck } from './health/self-check.service.js';
import { cutLongLogs } from './journal/journal.reader.js';
import { AgentMaker } from './lifecycle/agent-maker.service.js';
import { AgentRunner } from './lifecycle/agent-runner.service.js';
import { Recovery } from './lifecycle/recovery.service.js';
import { MetaRepository } from './meta/meta-repository.service.js';
import { OperationQueue } from './operations/operation-queue.service.js';
import { OperatorCredentials } from './operators/operator-credentials.service.js';
import { RegistryPush } from './registry/registry-push.service.js';
import { ConfigRepositories } from './repositories/config-repositories.service.js';
import { C0reSettings } from './settings/c0re.settings.js';
import { CLOCK, LOGGER } from './settings/tokens.js';
import { PeerSockets } from './sockets/peer-sockets.service.js';

/** How often c0re looks at the size of the agents' logs, in milliseconds. */
const LOG_CHECK_MS = 60_000;

/** Starts and stops c0re's parts in their order. */
@Injectable()
export class C0re {
  private cancelLogCheck = () => {};

  constructor(
    private readonly settings: C0reSettings,
    private readonly database: C0reDatabase,
    private readonly folders: AgentFolders,
    private readonly repositories: ConfigRepositories,
    private readonly meta: MetaRepository,
    private readonly maker: AgentMaker,
    private readonly approvals: Approvals,
    private readonly operators: OperatorCredentials,
    private readonly recovery: Recovery,
    private readonly runner: AgentRunner,
    private readonly queue: OperationQueue,
    private readonly registry: RegistryPush,
    private readonly sockets: PeerSockets,
    private readonly watch: HarnessWatch,
    private readonly selfCheck: SelfCheck,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Ready when its sockets answer; agents are restored and the broker is told behind that. */
  async start(): Promise<void> {
    await this.repositories.check();
    this.folders.prepareHome();
    this.operators.prepare();
    await this.meta.prepare();
    await this.maker.giveConfigs();
    this.recovery.adopt();
    await this.approvals.recover();
    this.queue.start();
    await this.sockets.listen();
    // Not before: while sockets are made, every file and every program of this process has their mode mask.
    this.queue.begin();
    this.registry.start();
    this.checkLogs();
    this.watch.start();
    void this.recovery
      .restore()
      .catch((error: unknown) => {
        this.logger.error({ err: error }, 'the agents could not be restored');
      })
      .finally(() => this.selfCheck.start());
  }

  /** Leaves the agents running (P28). */
  async stop(): Promise<void> {
    this.runner.halt();
    this.cancelLogCheck();
    this.watch.close();
    this.selfCheck.close();
    await this.sockets.close();
    await this.queue.pause();
    this.registry.close();
    this.database.close();
  }

  private checkLogs(): void {
    try {
      cutLongLogs(this.settings.home.agentLogs);
    } catch (error) {
      this.logger.error({ err: error }, 'the logs of the agents could not be checked');
    }
    this.cancelLogCheck = this.clock.after(LOG_CHECK_MS, () => this.checkLogs());
  }
}
