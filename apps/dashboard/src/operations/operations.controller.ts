import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { IsOptional, Matches } from 'class-validator';

import { Operator } from '../access/operator.decorator.js';
import { OperationsSchema } from '../openapi/answers.schema.js';
import { OptionalCount } from '../requests/limit.js';
import { C0reLink, type CredentialHeaders } from '../services/c0re.link.js';

/** Operations of one page. */
const MOST_PER_PAGE = 200;

export class OperationsQueryDto {
  @OptionalCount(MOST_PER_PAGE, 'Operations of one page.')
  limit?: number;

  @ApiPropertyOptional({ description: 'Only older ones than this operation.', example: 'o12' })
  @IsOptional()
  @Matches(/^o[1-9]\d{0,14}$/, { message: 'before must be the id of an operation, like o12' })
  before?: string;
}

@ApiTags('operations')
@Controller('api/operations')
export class OperationsController {
  constructor(private readonly c0re: C0reLink) {}

  @Get()
  @ApiOperation({ summary: 'Operations on agents, newest first' })
  @ApiOkResponse({ type: OperationsSchema })
  list(
    @Query() { limit, before }: OperationsQueryDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<OperationsSchema> {
    const query = new URLSearchParams({
      ...(limit === undefined ? {} : { limit: String(limit) }),
      ...(before === undefined ? {} : { before }),
    });
    return this.c0re.ask(`/v1/operations?${query.toString()}`, operator);
  }
}
