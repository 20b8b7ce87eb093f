import { Module, type DynamicModule } from '@nestjs/common';

import type { Clock, Logger } from '#libs/service';

import { AgentRepository } from './agents/agent.repository.js';
import { ApprovalFeed } from './approvals/approval-feed.js';
import { ApprovalViews } from './approvals/approval-views.js';
import { ApprovalRepository } from './approvals/approval.repository.js';
import { Approvals } from './approvals/approvals.service.js';
import { ApprovalRequests } from './approvals/requests.service.js';
import { AuditRepository } from './audit/audit.repository.js';
import { C0re } from './c0re.service.js';
import {
  chooseDriver,
  type ChosenDriver,
  type ContainerDriversOptions,
} from './containers/container-drivers.js';
import { C0reDatabase } from './database/c0re.database.js';
import { Deployer } from './deploys/deployer.service.js';
import { DeploySteps } from './deploys/steps.js';
import { AgentFolders } from './folders/agent-folders.service.js';
import { DriverTrials } from './health/driver-trials.service.js';
import { HarnessWatch } from './health/harness-watch.service.js';
import { Protections } from './health/protections.service.js';
import { SelfCheck } from './health/self-check.service.js';
import { AgentLocks } from './lifecycle/agent-locks.js';
import { AgentMaker } from './lifecycle/agent-maker.service.js';
import { AgentPurger } from './lifecycle/agent-purger.service.js';
import { AgentRunner } from './lifecycle/agent-runner.service.js';
import { Lifecycle } from './lifecycle/lifecycle.service.js';
import { Recovery } from './lifecycle/recovery.service.js';
import { LifeSteps } from './lifecycle/steps.js';
import { ManagerNews } from './manager/manager-news.repository.js';
import { MetaFeed } from './meta/meta-feed.js';
import { MetaRepository } from './meta/meta-repository.service.js';
import { OperationGrants } from './operations/operation-grants.js';
import { OperationQueue } from './operations/operation-queue.service.js';
import { OperationRepository } from './operations/operation.repository.js';
import { ManagerCredentials } from './operators/manager-credentials.service.js';
import { OperatorCredentials } from './operators/operator-credentials.service.js';
import { OperatorRepository } from './operators/operator.repository.js';
import { RegistryPush } from './registry/registry-push.service.js';
import { ConfigRepositories } from './repositories/config-repositories.service.js';
import { HiveRestart } from './restarts/hive-restart.service.js';
import { RestartWindows } from './restarts/restart-windows.service.js';
import { AgentSecrets } from './secrets/agent-secrets.service.js';
import { C0reSettings } from './settings/c0re.settings.js';
import {
  CHOSEN_DRIVER,
  CLOCK,
  CONTAINER_DRIVER,
  DRIVER_OPTIONS,
  LOGGER,
} from './settings/tokens.js';
import { ApprovalHandlers } from './sockets/approval-handlers.service.js';
import { ConfigHandlers } from './sockets/config-handlers.service.js';
import { JobHandlers } from './sockets/job.handlers.js';
import { LifeHandlers } from './sockets/life.handlers.js';
import { ManagerHandlers } from './sockets/manager-handlers.service.js';
import { OperationAnswers } from './sockets/operation-answers.service.js';
import { PeerSockets } from './sockets/peer-sockets.service.js';
import { C0reRequestHandlers } from './sockets/request-handlers.service.js';
import { StateFileHandlers } from './state-files/state-file.handlers.js';
import { Tombstones } from './tombstones/tombstones.service.js';

export interface C0reModuleOptions {
  settings: C0reSettings;
  clock: Clock;
  logger: Logger;
}

/** Everything of c0re. */
@Module({})
export class C0reModule {
  static forRoot({ settings, clock, logger }: C0reModuleOptions): DynamicModule {
    return {
      module: C0reModule,
      providers: [
        { provide: C0reSettings, useValue: settings },
        { provide: CLOCK, useValue: clock },
        { provide: LOGGER, useValue: logger },
        { provide: C0reDatabase, useFactory: () => new C0reDatabase(settings.dbFile) },
        {
          provide: DRIVER_OPTIONS,
          inject: [C0reDatabase],
          useFactory: ({ hiveId }: C0reDatabase): ContainerDriversOptions => ({
            hiveId,
            clock,
            adoptedPollMs: settings.timings.adoptedPollMs,
            separateUsers: settings.separatesUsers,
            trialUser: settings.trialUser,
            folder: settings.home.containers,
            flake: settings.nixosFlake,
          }),
        },
        {
          provide: CHOSEN_DRIVER,
          inject: [DRIVER_OPTIONS],
          useFactory: (options: ContainerDriversOptions) =>
            chooseDriver(settings.containerDriver, options),
        },
        {
          provide: CONTAINER_DRIVER,
          inject: [CHOSEN_DRIVER],
          useFactory: ({ driver }: ChosenDriver) => driver,
        },
        AgentRepository,
        AuditRepository,
        OperationRepository,
        OperatorRepository,
        OperatorCredentials,
        ManagerCredentials,
        AgentFolders,
        AgentSecrets,
        ConfigRepositories,
        AgentLocks,
        LifeSteps,
        AgentMaker,
        AgentPurger,
        AgentRunner,
        MetaRepository,
        MetaFeed,
        ManagerNews,
        ApprovalRepository,
        ApprovalViews,
        ApprovalRequests,
        ApprovalFeed,
        Approvals,
        DeploySteps,
        Deployer,
        Lifecycle,
        Recovery,
        OperationGrants,
        OperationQueue,
        RegistryPush,
        Tombstones,
        RestartWindows,
        HiveRestart,
        Protections,
        HarnessWatch,
        SelfCheck,
        ApprovalHandlers,
        ConfigHandlers,
        ManagerHandlers,
        OperationAnswers,
        LifeHandlers,
        JobHandlers,
        StateFileHandlers,
        DriverTrials,
        C0reRequestHandlers,
        PeerSockets,
        C0re,
      ],
    };
  }
}
