import { Module } from '@nestjs/common';

import { DeliveriesController } from './deliveries.controller.js';
import { QuestionsController } from './questions.controller.js';
import { RemindersController } from './reminders.controller.js';

/** What waits for the operator or for agents: questions, reminders, dead deliveries. */
@Module({ controllers: [QuestionsController, RemindersController, DeliveriesController] })
export class PendingModule {}
