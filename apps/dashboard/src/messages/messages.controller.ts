import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { assertBody, HiveError, LIMITS, OPERATOR } from '#libs/protocol';

import { MessageAnswerSchema, MessagesSchema, SentSchema } from '../openapi/answers.schema.js';
import { agentName, messageId } from '../requests/path.js';
import { BrokerLink } from '../services/broker.link.js';
import { MessagesQueryDto, NewMessageDto } from './messages.dto.js';

@ApiTags('messages')
@Controller('api/messages')
export class MessagesController {
  constructor(private readonly broker: BrokerLink) {}

  @Post()
  @ApiOperation({ summary: 'Sends a message as the operator' })
  @ApiCreatedResponse({ type: SentSchema, description: 'Stored durably; the delivery follows.' })
  send(@Body() { ...message }: NewMessageDto): Promise<SentSchema> {
    assertBody(message.body);
    return this.broker.call('send', { ...message, request_id: this.broker.requestId() });
  }

  @Get()
  @ApiOperation({ summary: 'Messages with their deliveries, newest first' })
  @ApiOkResponse({ type: MessagesSchema })
  list(@Query() { q, ...query }: MessagesQueryDto): Promise<MessagesSchema> {
    if (query.thread !== undefined) messageId(query.thread);
    if (query.before !== undefined) messageId(query.before);
    if (query.agent !== undefined && query.agent !== OPERATOR) agentName(query.agent);
    if (q === undefined) return this.broker.call('messages', query);
    const { thread, ...search } = query;
    if (thread !== undefined)
      throw new HiveError('invalid_request', 'give thread or q, not both; q searches everywhere');
    if ((query.limit ?? 0) > LIMITS.search_results) {
      throw new HiveError(
        'invalid_request',
        `limit must not be greater than ${LIMITS.search_results} with q; ask on with before`,
      );
    }
    return this.broker.call('search', { query: q, ...search });
  }

  @Post(':id/read')
  @HttpCode(200)
  @ApiOperation({ summary: 'Marks a message to the operator as read' })
  @ApiOkResponse({ type: MessageAnswerSchema })
  markRead(@Param('id') id: string): Promise<MessageAnswerSchema> {
    return this.broker.call('mark_read', { id: messageId(id) });
  }
}
