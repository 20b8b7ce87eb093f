import { Module, type DynamicModule } from '@nestjs/common';

import type { Clock, Logger } from '#libs/service';

import { AgentRepository } from './agents/agent.repository.js';
import { AuditRepository } from './audit/audit.repository.js';
import { C0re } from './c0re.service.js';
import {
  chooseDriver,
  type ChosenDriver,
  type ContainerDriversOptions,
} from './containers/container-drivers.js';
import { C0reDatabase } from './database/c0re.database.js';
import { AgentFolders } from './folders/agent-folders.service.js';
import { DriverTrials } from './health/driver-trials.service.js';
import { Protections } from './health/protections.service.js';
import { AgentLocks } from './lifecycle/agent-locks.js';
import { AgentMaker } from './lifecycle/agent-maker.service.js';
import { AgentRunner } from './lifecycle/agent-runner.service.js';
import { Lifecycle } from './lifecycle/lifecycle.service.js';
import { Recovery } from './lifecycle/recovery.service.js';
import { OperationQueue } from './operations/operation-queue.service.js';
import { OperationRepository } from './operations/operation.repository.js';
import { OperatorCredentials } from './operators/operator-credentials.service.js';
import { OperatorRepository } from './operators/operator.repository.js';
import { RegistryPush } from './registry/registry-push.service.js';
import { ConfigRepositories } from './repositories/config-repositories.service.js';
import { AgentSecrets } from './secrets/agent-secrets.service.js';
import { C0reSettings } from './settings/c0re.settings.js';
import {
  CHOSEN_DRIVER,
  CLOCK,
  CONTAINER_DRIVER,
  DRIVER_OPTIONS,
  LOGGER,
} from './settings/tokens.js';
import { PeerSockets } from './sockets/peer-sockets.service.js';
import { C0reRequestHandlers } from './sockets/request-handlers.service.js';

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
        AgentFolders,
        AgentSecrets,
        ConfigRepositories,
        AgentLocks,
        AgentMaker,
        AgentRunner,
        Lifecycle,
        Recovery,
        OperationQueue,
        RegistryPush,
        Protections,
        DriverTrials,
        C0reRequestHandlers,
        PeerSockets,
        C0re,
      ],
    };
  }
}
