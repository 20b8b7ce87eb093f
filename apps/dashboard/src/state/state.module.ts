import { Module } from '@nestjs/common';

import { EventsModule } from '../events/events.module.js';
import { StateController } from './state.controller.js';

@Module({ imports: [EventsModule], controllers: [StateController] })
export class StateModule {}
