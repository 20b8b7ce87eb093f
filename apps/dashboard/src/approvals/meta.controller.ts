import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { Operator } from '../access/operator.decorator.js';
import { AuditSchema, MetaInputsSchema } from '../openapi/approvals.schema.js';
import { pathWith } from '../requests/query.js';
import { C0reLink, type CredentialHeaders } from '../services/c0re.link.js';
import { AuditQueryDto, UpdateInputsDto } from './approvals.dto.js';

/** The deployed state of the swarm, and who did what. */
@ApiTags('hive')
@Controller('api')
export class MetaController {
  constructor(private readonly c0re: C0reLink) {}

  @Get('meta-inputs')
  @ApiOperation({ summary: 'Inputs of the deployed state, and its log of successful deploys' })
  @ApiOkResponse({ type: MetaInputsSchema })
  inputs(@Operator() operator: CredentialHeaders): Promise<MetaInputsSchema> {
    return this.c0re.ask('/v1/meta-inputs', operator);
  }

  @Post('meta-inputs')
  @HttpCode(200)
  @ApiOperation({ summary: 'Brings inputs to their newest' })
  @ApiOkResponse({ type: MetaInputsSchema })
  update(
    @Body() { ...body }: UpdateInputsDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<MetaInputsSchema> {
    return this.c0re.order('/v1/meta-inputs', operator, body);
  }

  @Get('audit')
  @ApiOperation({ summary: 'The append-only log of what the operator and the manager did' })
  @ApiOkResponse({ type: AuditSchema })
  audit(
    @Query() { ...query }: AuditQueryDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<AuditSchema> {
    return this.c0re.ask(pathWith('/v1/audit', query), operator);
  }
}
