import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { OPERATOR } from '#libs/protocol';

import { QuestionAnswerSchema, QuestionsSchema } from '../openapi/pending.schema.js';
import { NothingDto } from '../requests/nothing.dto.js';
import { agentName, questionId } from '../requests/path.js';
import { BrokerLink } from '../services/broker.link.js';
import { AnswerDto, QuestionsQueryDto } from './pending.dto.js';

@ApiTags('questions')
@Controller('api/questions')
export class QuestionsController {
  constructor(private readonly broker: BrokerLink) {}

  @Get()
  @ApiOperation({ summary: 'Questions of agents to the operator and to each other, newest first' })
  @ApiOkResponse({ type: QuestionsSchema })
  list(@Query() { ...query }: QuestionsQueryDto): Promise<QuestionsSchema> {
    if (query.agent !== undefined && query.agent !== OPERATOR) agentName(query.agent);
    if (query.before !== undefined) questionId(query.before);
    return this.broker.call('questions', query);
  }

  @Post(':id/answer')
  @HttpCode(200)
  @ApiOperation({ summary: 'Answers a question; one to a peer is overridden' })
  @ApiOkResponse({ type: QuestionAnswerSchema })
  answer(@Param('id') id: string, @Body() { answer }: AnswerDto): Promise<QuestionAnswerSchema> {
    return this.broker.call('answer_question', {
      id: questionId(id),
      answer,
      request_id: this.broker.requestId(),
    });
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'Cancels a question; its asker is told' })
  @ApiOkResponse({ type: QuestionAnswerSchema })
  cancel(@Param('id') id: string, @Body() _body: NothingDto): Promise<QuestionAnswerSchema> {
    return this.broker.call('cancel_question', {
      id: questionId(id),
      request_id: this.broker.requestId(),
    });
  }
}
