import { Controller, Get, HttpCode, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { EventFanOut } from '../events/event-fan-out.js';
import { BrokerLink } from '../services/broker.link.js';
import { C0reLink } from '../services/c0re.link.js';

class HealthSchema {
  @ApiProperty({ type: Boolean }) ok!: boolean;
}
class ReadySchema {
  @ApiProperty({ type: Boolean }) ready!: boolean;
  @ApiProperty({ type: Boolean }) broker!: boolean;
  @ApiProperty({ type: Boolean }) c0re!: boolean;
  @ApiProperty({ type: Boolean, description: 'Without it live events wait; all else goes on.' })
  redis!: boolean;
}

/** The only open routes (P30); they say nothing but whether parts answer. */
@ApiTags('health')
@Controller()
export class HealthController {
  constructor(
    private readonly broker: BrokerLink,
    private readonly c0re: C0reLink,
    private readonly events: EventFanOut,
  ) {}

  @Get('healthz')
  @HttpCode(200)
  @ApiOperation({ summary: 'This process is alive', security: [] })
  @ApiOkResponse({ type: HealthSchema })
  health(): HealthSchema {
    return { ok: true };
  }

  @Get('readyz')
  @ApiOperation({ summary: 'The operator can work: broker and c0re answer', security: [] })
  @ApiOkResponse({ type: ReadySchema })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadySchema> {
    const broker = this.broker.isConnected;
    const c0re = await this.c0re.isThere();
    const ready = broker && c0re;
    if (!ready) void reply.code(503);
    return { ready, broker, c0re, redis: this.events.log.isConnected };
  }
}
