import { Module } from '@nestjs/common';

import { ApprovalsController } from './approvals.controller.js';
import { ConfigsController } from './configs.controller.js';
import { MetaController } from './meta.controller.js';

/** What the operator decides, and what became of it: approvals, configs, the deployed state, the audit log. */
@Module({ controllers: [ApprovalsController, ConfigsController, MetaController] })
export class ApprovalsModule {}
