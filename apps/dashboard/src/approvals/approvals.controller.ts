import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { Operator } from '../access/operator.decorator.js';
import { WaitDto } from '../agents/agents.dto.js';
import {
  ApprovalAnswerSchema,
  ApprovalDetailSchema,
  ApprovalsSchema,
} from '../openapi/approvals.schema.js';
import { agentName, approvalId } from '../requests/path.js';
import { pathWith } from '../requests/query.js';
import { C0reLink, type CredentialHeaders } from '../services/c0re.link.js';
import { ApprovalsQueryDto, ApproveDto, BaseDto, DenyDto } from './approvals.dto.js';

/** What only the operator decides. c0re checks the credential of each request itself (PRODUCT 4.6). */
@ApiTags('approvals')
@Controller('api/approvals')
export class ApprovalsController {
  constructor(private readonly c0re: C0reLink) {}

  @Get()
  @ApiOperation({ summary: 'Approvals, newest first' })
  @ApiOkResponse({ type: ApprovalsSchema })
  list(
    @Query() { ...query }: ApprovalsQueryDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<ApprovalsSchema> {
    if (query.agent !== undefined) agentName(query.agent);
    if (query.before !== undefined) approvalId(query.before);
    return this.c0re.ask(pathWith('/v1/approvals', query), operator);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One approval with its diff' })
  @ApiOkResponse({ type: ApprovalDetailSchema })
  show(
    @Param('id') id: string,
    @Query() { ...query }: BaseDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<ApprovalDetailSchema> {
    return this.c0re.ask(pathWith(`/v1/approvals/${approvalId(id)}`, query), operator);
  }

  @Post(':id/approve')
  @HttpCode(202)
  @ApiOperation({ summary: 'Approves exactly the commit that was shown' })
  @ApiAcceptedResponse({ type: ApprovalAnswerSchema })
  approve(
    @Param('id') id: string,
    @Body() { sha }: ApproveDto,
    @Query() { ...query }: WaitDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<ApprovalAnswerSchema> {
    const path = pathWith(`/v1/approvals/${approvalId(id)}/approve`, query);
    return this.c0re.order(path, operator, { sha });
  }

  @Post(':id/deny')
  @HttpCode(200)
  @ApiOperation({ summary: 'Denies it; the manager is told the reason' })
  @ApiOkResponse({ type: ApprovalAnswerSchema })
  deny(
    @Param('id') id: string,
    @Body() { ...body }: DenyDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<ApprovalAnswerSchema> {
    return this.c0re.order(`/v1/approvals/${approvalId(id)}/deny`, operator, body);
  }
}
