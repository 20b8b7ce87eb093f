import { Module } from '@nestjs/common';

import { EventsModule } from '../events/events.module.js';
import { AccessModule } from './access.module.js';
import { LoginController } from './login.controller.js';

@Module({ imports: [AccessModule, EventsModule], controllers: [LoginController] })
export class LoginModule {}
