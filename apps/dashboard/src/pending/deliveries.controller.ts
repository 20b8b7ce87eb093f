import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { MessageAnswerSchema } from '../openapi/answers.schema.js';
import { DeliveriesSchema, NeedsYouListSchema } from '../openapi/pending.schema.js';
import { NothingDto } from '../requests/nothing.dto.js';
import { agentName, deliveryId } from '../requests/path.js';
import { BrokerLink } from '../services/broker.link.js';
import { DeliveriesQueryDto } from './pending.dto.js';

@ApiTags('deliveries')
@Controller('api')
export class DeliveriesController {
  constructor(private readonly broker: BrokerLink) {}

  @Get('deliveries')
  @ApiOperation({ summary: 'Deliveries that are dead, newest first' })
  @ApiOkResponse({ type: DeliveriesSchema })
  dead(@Query() { state: _state, ...query }: DeliveriesQueryDto): Promise<DeliveriesSchema> {
    if (query.agent !== undefined) agentName(query.agent);
    if (query.before !== undefined) deliveryId(query.before);
    return this.broker.call('dead_deliveries', query);
  }

  @Post('deliveries/:id/retry')
  @HttpCode(200)
  @ApiOperation({ summary: 'Has a dead delivery tried again' })
  @ApiOkResponse({ type: MessageAnswerSchema })
  retry(@Param('id') id: string, @Body() _body: NothingDto): Promise<MessageAnswerSchema> {
    return this.broker.call('retry_delivery', {
      id: deliveryId(id),
      request_id: this.broker.requestId(),
    });
  }

  @Get('needs-you')
  @ApiOperation({ summary: 'All that waits for the operator, oldest first' })
  @ApiOkResponse({ type: NeedsYouListSchema })
  needsYou(): Promise<NeedsYouListSchema> {
    return this.broker.call('needs_you', {});
  }
}
