import { Module } from '@nestjs/common';

import { AgentViewsController } from './agent-views.controller.js';
import { AgentsController } from './agents.controller.js';

@Module({ controllers: [AgentsController, AgentViewsController] })
export class AgentsModule {}
