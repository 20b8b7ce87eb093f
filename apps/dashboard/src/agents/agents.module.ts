import { Module } from '@nestjs/common';

import { AgentViewsController } from './agent-views.controller.js';
import { AgentsController } from './agents.controller.js';
import { StateFilesController } from './state-files.controller.js';
import { TombstonesController } from './tombstones.controller.js';

@Module({
  controllers: [StateFilesController, TombstonesController, AgentsController, AgentViewsController],
})
export class AgentsModule {}
