import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { HiveError, type AgentRecord } from '#libs/protocol';

import { Operator } from '../access/operator.decorator.js';
import {
  AgentAnswerSchema,
  JournalSchema,
  MessagesSchema,
  StatsSchema,
  TurnEventsSchema,
  TurnsSchema,
} from '../openapi/answers.schema.js';
import { OpenThreadsSchema, RemindersSchema } from '../openapi/pending.schema.js';
import { agentName, messageId, reminderId, turnId } from '../requests/path.js';
import { BrokerLink } from '../services/broker.link.js';
import { C0reLink, type CredentialHeaders } from '../services/c0re.link.js';
import { EventsQueryDto, JournalQueryDto, PageDto, StatsQueryDto } from './agents.dto.js';

/** What there is to see of one agent. */
@ApiTags('agents')
@Controller('api/agents/:name')
export class AgentViewsController {
  constructor(
    private readonly broker: BrokerLink,
    private readonly c0re: C0reLink,
  ) {}

  @Get()
  @ApiOperation({ summary: 'One agent' })
  @ApiOkResponse({ type: AgentAnswerSchema })
  async agent(
    @Param('name') name: string,
    @Operator() operator: CredentialHeaders,
  ): Promise<AgentAnswerSchema> {
    const [{ agent: record }, { agents }] = await Promise.all([
      this.record(name, operator),
      this.broker.call('snapshot', { messages: 0 }),
    ]);
    const row = agents.find((agent) => agent.agent_id === record.agent_id);
    if (!row) {
      throw new HiveError('unavailable', `"${record.name}" is being made; ask again in a moment`);
    }
    const { instance, pid, created_at } = record;
    return { agent: { ...row, instance, pid, created_at } };
  }

  @Get('inbox')
  @ApiOperation({ summary: 'What was sent to the agent, newest first' })
  @ApiOkResponse({ type: MessagesSchema })
  inbox(@Param('name') name: string, @Query() { ...page }: PageDto): Promise<MessagesSchema> {
    if (page.before !== undefined) messageId(page.before);
    return this.broker.call('agent_inbox', { agent: agentName(name), ...page });
  }

  @Get('turns')
  @ApiOperation({ summary: 'The turns of the agent with their telemetry, newest first' })
  @ApiOkResponse({ type: TurnsSchema })
  turns(@Param('name') name: string, @Query() { ...page }: PageDto): Promise<TurnsSchema> {
    if (page.before !== undefined) turnId(page.before);
    return this.broker.call('agent_turns', { agent: agentName(name), ...page });
  }

  @Get('events')
  @ApiOperation({ summary: 'What the agent did in its newest turns, oldest first' })
  @ApiOkResponse({ type: TurnEventsSchema })
  events(
    @Param('name') name: string,
    @Query() { ...query }: EventsQueryDto,
  ): Promise<TurnEventsSchema> {
    if (query.turn_id !== undefined) turnId(query.turn_id);
    return this.broker.call('agent_events', { agent: agentName(name), ...query });
  }

  @Get('stats')
  @ApiOperation({ summary: 'Turns, durations, tools, tokens and cost over a window' })
  @ApiOkResponse({ type: StatsSchema })
  stats(@Param('name') name: string, @Query() { window }: StatsQueryDto): Promise<StatsSchema> {
    return this.broker.call('agent_stats', { agent: agentName(name), window: window ?? '24h' });
  }

  @Get('threads')
  @ApiOperation({ summary: 'What is open for the agent: questions, reminders, unacked messages' })
  @ApiOkResponse({ type: OpenThreadsSchema })
  threads(@Param('name') name: string): Promise<OpenThreadsSchema> {
    return this.broker.call('agent_threads', { agent: agentName(name) });
  }

  @Get('reminders')
  @ApiOperation({ summary: 'Reminders of the agent, newest first' })
  @ApiOkResponse({ type: RemindersSchema })
  reminders(@Param('name') name: string, @Query() { ...page }: PageDto): Promise<RemindersSchema> {
    if (page.before !== undefined) reminderId(page.before);
    return this.broker.call('reminders', { agent: agentName(name), ...page });
  }

  @Get('journal')
  @ApiOperation({ summary: "The last lines of the agent's log" })
  @ApiOkResponse({ type: JournalSchema })
  journal(
    @Param('name') name: string,
    @Query() { lines }: JournalQueryDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<JournalSchema> {
    const query = lines === undefined ? '' : `?lines=${lines}`;
    return this.c0re.ask(`/v1/agents/${agentName(name)}/journal${query}`, operator);
  }

  private record(name: string, operator: CredentialHeaders): Promise<{ agent: AgentRecord }> {
    return this.c0re.ask(`/v1/agents/${agentName(name)}`, operator);
  }
}
