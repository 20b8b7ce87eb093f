import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { Operator } from '../access/operator.decorator.js';
import { EventFanOut } from '../events/event-fan-out.js';
import {
  StateSchema,
  type OperationsSchema,
  type TombstonesSchema,
} from '../openapi/answers.schema.js';
import type { ApprovalsSchema, MetaInputsSchema } from '../openapi/approvals.schema.js';
import { BrokerLink } from '../services/broker.link.js';
import { C0reLink, type CredentialHeaders } from '../services/c0re.link.js';

/** Newest messages and operations that the page starts with. */
const MESSAGES = 300;
const OPERATIONS = 100;
/** More than may wait at a time. */
const APPROVALS = 200;

@ApiTags('state')
@Controller('api/state')
export class StateController {
  constructor(
    private readonly events: EventFanOut,
    private readonly broker: BrokerLink,
    private readonly c0re: C0reLink,
  ) {}

  /** The stream's end is read first, so that nothing is missed between the rows and the first event (P38). */
  @Get()
  @ApiOperation({ summary: 'Everything that the page starts from; what follows comes by /events' })
  @ApiOkResponse({ type: StateSchema })
  async state(@Operator() operator: CredentialHeaders): Promise<StateSchema> {
    const seq = await this.events.end();
    const [broker, { operations }, { approvals }, { meta_inputs }, { tombstones }] =
      await Promise.all([
        this.broker.call('snapshot', { messages: MESSAGES }),
        this.c0re.ask<OperationsSchema>(`/v1/operations?limit=${OPERATIONS}`, operator),
        this.c0re.ask<ApprovalsSchema>(`/v1/approvals?limit=${APPROVALS}`, operator),
        this.c0re.ask<MetaInputsSchema>('/v1/meta-inputs', operator),
        this.c0re.ask<TombstonesSchema>('/v1/tombstones', operator),
      ]);
    const { version: _version, ...rows } = broker;
    return { seq, operations, approvals, meta_inputs, tombstones, ...rows };
  }
}
