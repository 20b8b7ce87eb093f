import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { ReminderAnswerSchema, RemindersSchema } from '../openapi/pending.schema.js';
import { NothingDto } from '../requests/nothing.dto.js';
import { agentName, reminderId } from '../requests/path.js';
import { BrokerLink } from '../services/broker.link.js';
import { RemindersQueryDto } from './pending.dto.js';

@ApiTags('reminders')
@Controller('api/reminders')
export class RemindersController {
  constructor(private readonly broker: BrokerLink) {}

  @Get()
  @ApiOperation({ summary: 'Reminders of agents, newest first' })
  @ApiOkResponse({ type: RemindersSchema })
  list(@Query() { ...query }: RemindersQueryDto): Promise<RemindersSchema> {
    if (query.agent !== undefined) agentName(query.agent);
    if (query.before !== undefined) reminderId(query.before);
    return this.broker.call('reminders', query);
  }

  @Post(':id/retry')
  @HttpCode(200)
  @ApiOperation({ summary: 'Has a failed reminder tried again, now' })
  @ApiOkResponse({ type: ReminderAnswerSchema })
  retry(@Param('id') id: string, @Body() _body: NothingDto): Promise<ReminderAnswerSchema> {
    return this.broker.call('retry_reminder', {
      id: reminderId(id),
      request_id: this.broker.requestId(),
    });
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'Cancels a reminder' })
  @ApiOkResponse({ type: ReminderAnswerSchema })
  cancel(@Param('id') id: string, @Body() _body: NothingDto): Promise<ReminderAnswerSchema> {
    return this.broker.call('cancel_reminder', {
      id: reminderId(id),
      request_id: this.broker.requestId(),
    });
  }
}
