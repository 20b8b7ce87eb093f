import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';

import type { C0reHealth, DashboardAnswers, SelfCheck } from '#libs/protocol';

import { Operator } from '../access/operator.decorator.js';
import { C0reLink, type CredentialHeaders } from '../services/c0re.link.js';

class ProblemSchema {
  @ApiProperty({ enum: ['container', 'turn', 'operation'] })
  check!: SelfCheck['problems'][number]['check'];
  @ApiProperty() message!: string;
}
export class DoctorSchema implements Record<keyof DashboardAnswers['doctor'], unknown> {
  @ApiProperty({ description: 'The container driver that new agents get.' })
  container_driver!: string;
  @ApiProperty({ description: 'Whether the broker has the newest registry.' })
  broker_in_step!: boolean;
  @ApiProperty({ type: [String], description: 'Protections that are off, one sentence each.' })
  protections_off!: string[];
  @ApiProperty() checked_at!: string;
  @ApiProperty({ type: [ProblemSchema] }) problems!: ProblemSchema[];
}

@ApiTags('health')
@Controller('api/doctor')
export class DoctorController {
  constructor(private readonly c0re: C0reLink) {}

  @Get()
  @ApiOperation({
    summary: 'What is recorded against what is there, and which protections are off',
  })
  @ApiOkResponse({ type: DoctorSchema })
  async doctor(@Operator() operator: CredentialHeaders): Promise<DoctorSchema> {
    const [health, check] = await Promise.all([
      this.c0re.ask<C0reHealth>('/v1/health', operator),
      this.c0re.ask<SelfCheck>('/v1/self-check', operator),
    ]);
    return {
      container_driver: health.container_driver ?? 'unknown',
      broker_in_step: health.broker_in_step ?? false,
      protections_off: health.protections_off ?? [],
      checked_at: check.checked_at,
      problems: check.problems,
    };
  }
}
