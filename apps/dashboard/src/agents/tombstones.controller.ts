import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { Operator } from '../access/operator.decorator.js';
import { OperationAnswerSchema, TombstonesSchema } from '../openapi/answers.schema.js';
import { agentName } from '../requests/path.js';
import { C0reLink, type CredentialHeaders } from '../services/c0re.link.js';
import { ACCEPTED, waiting } from './agents.controller.js';
import { PurgeDto, ReviveDto, VerbDto, WaitDto } from './agents.dto.js';

/** Destroyed agents whose state is kept, and what is done to all agents together. */
@ApiTags('agents')
@Controller('api')
export class TombstonesController {
  constructor(private readonly c0re: C0reLink) {}

  @Get('tombstones')
  @ApiOperation({ summary: 'Destroyed agents whose state is kept, the last destroyed first' })
  @ApiOkResponse({ type: TombstonesSchema })
  list(@Operator() operator: CredentialHeaders): Promise<TombstonesSchema> {
    return this.c0re.ask('/v1/tombstones', operator);
  }

  @Post('agents/:name/revive')
  @HttpCode(202)
  @ApiOperation({ summary: 'Lets a destroyed agent live again with its state' })
  @ApiAcceptedResponse(ACCEPTED)
  revive(
    @Param('name') name: string,
    @Body() body: ReviveDto,
    @Query() { wait }: WaitDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<OperationAnswerSchema> {
    return this.c0re.order(`/v1/agents/${agentName(name)}/revive${waiting(wait)}`, operator, body);
  }

  @Post('agents/:name/purge')
  @HttpCode(202)
  @ApiOperation({ summary: 'Removes for good what is kept of a destroyed agent' })
  @ApiAcceptedResponse(ACCEPTED)
  purge(
    @Param('name') name: string,
    @Body() body: PurgeDto,
    @Query() { wait }: WaitDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<OperationAnswerSchema> {
    return this.c0re.order(`/v1/agents/${agentName(name)}/purge${waiting(wait)}`, operator, body);
  }

  @Post('restart-all')
  @HttpCode(202)
  @ApiOperation({ summary: 'Restarts every agent that runs, the manager first' })
  @ApiAcceptedResponse(ACCEPTED)
  restartAll(
    @Body() body: VerbDto,
    @Query() { wait }: WaitDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<OperationAnswerSchema> {
    return this.c0re.order(`/v1/restart-all${waiting(wait)}`, operator, body);
  }

  @Post('update-all')
  @HttpCode(202)
  @ApiOperation({ summary: 'Rebuilds every agent that runs, the manager first' })
  @ApiAcceptedResponse(ACCEPTED)
  updateAll(
    @Body() body: VerbDto,
    @Query() { wait }: WaitDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<OperationAnswerSchema> {
    return this.c0re.order(`/v1/update-all${waiting(wait)}`, operator, body);
  }
}
