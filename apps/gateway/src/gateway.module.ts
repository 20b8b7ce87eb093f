import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';

import { BrokerLink } from './broker/broker-link.service.js';
import { WrittenAnswers } from './broker/written-answers.service.js';
import { C0reLink } from './c0re/c0re-link.service.js';
import { Door } from './door/door.js';
import { ErrorBodyFilter } from './door/error-body.filter.js';
import { Identities } from './door/identities.service.js';
import { EgressProxy } from './egress/egress-proxy.service.js';
import { GatewayAddress } from './gateway.address.js';
import { GatewayOptions } from './gateway.options.js';
import { HarnessController } from './harness-api/harness.controller.js';
import { LongPolls } from './harness-api/long-polls.service.js';
import { OpenAnswers } from './limits/open-answers.service.js';
import { WaitingCalls } from './limits/waiting-calls.service.js';
import { McpController } from './mcp/mcp.controller.js';
import { Sessions } from './mcp/sessions.service.js';
import { AgentSockets } from './sockets/agent-sockets.service.js';
import { ToolRunner } from './tools/tool-runner.service.js';

/** The agents' only door: MCP and the harness API, on TCP and on each agent's socket. */
@Module({})
export class GatewayModule {
  static with(options: GatewayOptions): DynamicModule {
    return {
      module: GatewayModule,
      controllers: [McpController, HarnessController],
      providers: [
        { provide: GatewayOptions, useValue: options },
        { provide: APP_FILTER, useClass: ErrorBodyFilter },
        GatewayAddress,
        BrokerLink,
        WrittenAnswers,
        C0reLink,
        Identities,
        Door,
        OpenAnswers,
        WaitingCalls,
        LongPolls,
        ToolRunner,
        Sessions,
        EgressProxy,
        AgentSockets,
      ],
    };
  }
}
