import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { Operator } from '../access/operator.decorator.js';
import { ConfigDiffSchema, ConfigFileSchema, ConfigSchema } from '../openapi/approvals.schema.js';
import { agentName } from '../requests/path.js';
import { pathWith } from '../requests/query.js';
import { C0reLink, type CredentialHeaders } from '../services/c0re.link.js';
import { ConfigDiffQueryDto, ConfigFileQueryDto } from './approvals.dto.js';

/** An agent's configuration: what is deployed, and every commit that was ever submitted. */
@ApiTags('agents')
@Controller('api/agents/:name/config')
export class ConfigsController {
  constructor(private readonly c0re: C0reLink) {}

  @Get()
  @ApiOperation({ summary: 'The deployed configuration and its history' })
  @ApiOkResponse({ type: ConfigSchema })
  config(
    @Param('name') name: string,
    @Operator() operator: CredentialHeaders,
  ): Promise<ConfigSchema> {
    return this.c0re.ask(`/v1/agents/${agentName(name)}/config`, operator);
  }

  @Get('file')
  @ApiOperation({ summary: 'One file of a config tree' })
  @ApiOkResponse({ type: ConfigFileSchema })
  file(
    @Param('name') name: string,
    @Query() { ...query }: ConfigFileQueryDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<ConfigFileSchema> {
    return this.c0re.ask(pathWith(`/v1/agents/${agentName(name)}/config/file`, query), operator);
  }

  @Get('diff')
  @ApiOperation({ summary: 'What differs between two config trees' })
  @ApiOkResponse({ type: ConfigDiffSchema })
  diff(
    @Param('name') name: string,
    @Query() { ...query }: ConfigDiffQueryDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<ConfigDiffSchema> {
    return this.c0re.ask(pathWith(`/v1/agents/${agentName(name)}/config/diff`, query), operator);
  }
}
