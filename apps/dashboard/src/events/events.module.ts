import { Module } from '@nestjs/common';

import { AccessModule } from '../access/access.module.js';
import { EventAdmission } from './admission.js';
import { EventFanOut } from './event-fan-out.js';
import { EventSockets } from './event-sockets.js';
import { EventsGateway } from './events.gateway.js';
import { TicketOffice } from './ticket-office.js';
import { TicketsController } from './tickets.controller.js';

@Module({
  imports: [AccessModule],
  controllers: [TicketsController],
  providers: [EventFanOut, EventSockets, EventsGateway, EventAdmission, TicketOffice],
  exports: [EventFanOut, EventSockets, EventAdmission],
})
export class EventsModule {}
