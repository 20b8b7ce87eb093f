import { Module, type DynamicModule } from '@nestjs/common';

import { LoginModule } from './access/login.module.js';
import { AgentsModule } from './agents/agents.module.js';
import { ApprovalsModule } from './approvals/approvals.module.js';
import { EventsModule } from './events/events.module.js';
import { HealthModule } from './health/health.module.js';
import { MessagesModule } from './messages/messages.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { PendingModule } from './pending/pending.module.js';
import { ServicesModule } from './services/services.module.js';
import { SettingsModule, type Settings } from './settings/settings.module.js';
import { StateModule } from './state/state.module.js';
import { ToolSessionController } from './tools/tool-session.controller.js';

/** The operator's door: HTTP API, event channel, queues' page. Unprivileged; owns no data and keeps no credential. */
@Module({})
export class DashboardModule {
  static with(settings: Settings): DynamicModule {
    return {
      module: DashboardModule,
      imports: [
        SettingsModule.with(settings),
        ServicesModule,
        EventsModule,
        LoginModule,
        StateModule,
        MessagesModule,
        AgentsModule,
        ApprovalsModule,
        OperationsModule,
        PendingModule,
        HealthModule,
      ],
      controllers: [ToolSessionController],
    };
  }
}
