import type { IncomingMessage } from 'node:http';

import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import type { WebSocket } from 'ws';

import { admissionOf } from './admission.js';
import { EventSockets } from './event-sockets.js';

/** The one event channel: `/events?after=<seq>&ticket=<ticket>`. Clients send nothing. */
@WebSocketGateway({ path: '/events', maxPayload: 1024 })
export class EventsGateway implements OnGatewayConnection<WebSocket> {
  constructor(private readonly sockets: EventSockets) {}

  handleConnection(socket: WebSocket, request: IncomingMessage): void {
    const admission = admissionOf(request);
    if (admission) this.sockets.add(socket, admission.after, admission.sessionTag);
    else socket.terminate();
  }
}
