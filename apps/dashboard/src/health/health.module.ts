import { Module } from '@nestjs/common';

import { EventsModule } from '../events/events.module.js';
import { DoctorController } from './doctor.controller.js';
import { HealthController } from './health.controller.js';

@Module({ imports: [EventsModule], controllers: [HealthController, DoctorController] })
export class HealthModule {}
