import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import { AccessService } from '../access/access.service.js';
import { sessionTag } from '../access/session-tag.js';
import { WsTicketSchema } from '../openapi/answers.schema.js';
import { TicketOffice } from './ticket-office.js';

@ApiTags('events')
@Controller('api/ws-tickets')
export class TicketsController {
  constructor(
    private readonly tickets: TicketOffice,
    private readonly access: AccessService,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'A ticket that opens the WebSocket once, within 30 seconds',
    description:
      'Connect to `/events?after=<seq>&ticket=<ticket>`. Frames are `{seq, kind, …row}`; `{kind: "resync"}` says to read /api/state again. Scripts may send their bearer with the upgrade instead.',
  })
  @ApiOkResponse({ type: WsTicketSchema })
  issue(@Req() request: FastifyRequest): WsTicketSchema {
    return this.tickets.issue(sessionTag(this.access.credentialOf(request)));
  }
}
