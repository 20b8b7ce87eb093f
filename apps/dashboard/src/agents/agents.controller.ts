import { Body, Controller, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiCreatedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';

import { agentNameProblem, assertBody, HiveError, MANAGER } from '#libs/protocol';

import { Operator } from '../access/operator.decorator.js';
import {
  CommandSchema,
  OperationAnswerSchema,
  ReleasedSchema,
  SentSchema,
} from '../openapi/answers.schema.js';
import { NothingDto } from '../requests/nothing.dto.js';
import { agentName } from '../requests/path.js';
import { BrokerLink } from '../services/broker.link.js';
import { C0reLink, type CredentialHeaders } from '../services/c0re.link.js';
import {
  CancelTurnDto,
  ModelDto,
  NewAgentDto,
  VerbDto,
  WaitDto,
  WakeAgentDto,
} from './agents.dto.js';

export const ACCEPTED = {
  type: OperationAnswerSchema,
  description: 'The operation as it stands; its end comes as operation_changed.',
};

/** What the operator does to agents: their lives by c0re, their turns by the broker and the harness. */
@ApiTags('agents')
@Controller('api/agents')
export class AgentsController {
  constructor(
    private readonly broker: BrokerLink,
    private readonly c0re: C0reLink,
  ) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({ summary: 'Spawns an agent' })
  @ApiAcceptedResponse(ACCEPTED)
  spawn(
    @Body() agent: NewAgentDto,
    @Query() { wait }: WaitDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<OperationAnswerSchema> {
    const problem = agentNameProblem(agent.name, agent.name === MANAGER ? 'manager' : 'agent');
    if (problem) throw new HiveError('invalid_name', problem);
    return this.c0re.order(`/v1/agents${waiting(wait)}`, operator, agent);
  }

  @Post(':name/start')
  @HttpCode(202)
  @ApiOperation({ summary: 'Starts an agent' })
  @ApiAcceptedResponse(ACCEPTED)
  start(
    @Param('name') name: string,
    @Body() body: VerbDto,
    @Query() { wait }: WaitDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<OperationAnswerSchema> {
    return this.order('start', name, body, wait, operator);
  }

  @Post(':name/stop')
  @HttpCode(202)
  @ApiOperation({ summary: 'Ends every process of an agent' })
  @ApiAcceptedResponse(ACCEPTED)
  stop(
    @Param('name') name: string,
    @Body() body: VerbDto,
    @Query() { wait }: WaitDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<OperationAnswerSchema> {
    return this.order('stop', name, body, wait, operator);
  }

  @Post(':name/restart')
  @HttpCode(202)
  @ApiOperation({ summary: 'Stops and starts an agent' })
  @ApiAcceptedResponse(ACCEPTED)
  restart(
    @Param('name') name: string,
    @Body() body: VerbDto,
    @Query() { wait }: WaitDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<OperationAnswerSchema> {
    return this.order('restart', name, body, wait, operator);
  }

  @Post(':name/rebuild')
  @HttpCode(202)
  @ApiOperation({ summary: 'Makes all that belongs to an agent anew and starts it' })
  @ApiAcceptedResponse(ACCEPTED)
  rebuild(
    @Param('name') name: string,
    @Body() body: VerbDto,
    @Query() { wait }: WaitDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<OperationAnswerSchema> {
    return this.order('rebuild', name, body, wait, operator);
  }

  @Post(':name/destroy')
  @HttpCode(202)
  @ApiOperation({ summary: 'Ends an agent for good; its state folder is kept' })
  @ApiAcceptedResponse(ACCEPTED)
  destroy(
    @Param('name') name: string,
    @Body() body: VerbDto,
    @Query() { wait }: WaitDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<OperationAnswerSchema> {
    return this.order('destroy', name, body, wait, operator);
  }

  @Post(':name/cancel-turn')
  @HttpCode(202)
  @ApiOperation({ summary: 'Interrupts the live turn; what it held waits until you go on' })
  @ApiAcceptedResponse({ type: CommandSchema })
  cancelTurn(
    @Param('name') name: string,
    @Body() { discard }: CancelTurnDto,
  ): Promise<CommandSchema> {
    const extra = discard === undefined ? {} : { discard };
    return this.broker.command({ agent: agentName(name), kind: 'cancel', ...extra });
  }

  @Post(':name/compact')
  @HttpCode(202)
  @ApiOperation({ summary: 'Compacts the session before its next turn' })
  @ApiAcceptedResponse({ type: CommandSchema })
  compact(@Param('name') name: string, @Body() _body: NothingDto): Promise<CommandSchema> {
    return this.broker.command({ agent: agentName(name), kind: 'compact' });
  }

  @Post(':name/new-session')
  @HttpCode(202)
  @ApiOperation({ summary: 'Starts the next turn in a new session' })
  @ApiAcceptedResponse({ type: CommandSchema })
  newSession(@Param('name') name: string, @Body() _body: NothingDto): Promise<CommandSchema> {
    return this.broker.command({ agent: agentName(name), kind: 'new_session' });
  }

  @Post(':name/model')
  @HttpCode(202)
  @ApiOperation({ summary: 'Sets the model from the next turn on' })
  @ApiAcceptedResponse({ type: CommandSchema })
  model(@Param('name') name: string, @Body() { model }: ModelDto): Promise<CommandSchema> {
    return this.broker.command({ agent: agentName(name), kind: 'model', model });
  }

  @Post([':name/unpark', ':name/release'])
  @HttpCode(200)
  @ApiOperation({ summary: 'Goes on after a cancelled turn' })
  @ApiOkResponse({ type: ReleasedSchema })
  release(@Param('name') name: string, @Body() _body: NothingDto): Promise<ReleasedSchema> {
    return this.broker.call('release', { agent: agentName(name) });
  }

  @Post(':name/wake')
  @ApiOperation({ summary: 'Wakes an agent in the name of a program outside the hive' })
  @ApiCreatedResponse({ type: SentSchema })
  wake(@Param('name') name: string, @Body() { from, body }: WakeAgentDto): Promise<SentSchema> {
    assertBody(body);
    const request_id = this.broker.requestId();
    return this.broker.call('wake', { agent: agentName(name), from, body, request_id });
  }

  private order(
    verb: string,
    name: string,
    body: VerbDto,
    wait: WaitDto['wait'],
    operator: CredentialHeaders,
  ): Promise<OperationAnswerSchema> {
    return this.c0re.order(`/v1/agents/${agentName(name)}/${verb}${waiting(wait)}`, operator, body);
  }
}

export function waiting(wait: WaitDto['wait']): string {
  return wait === '1' ? '?wait=1' : '';
}
