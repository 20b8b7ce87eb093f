import { Controller, Get, Query } from '@nestjs/common';
import {
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiPropertyOptional,
  ApiTags,
} from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength } from 'class-validator';

import type { StateFileAnswer, StateFolderAnswer } from '#libs/protocol';

import { Operator } from '../access/operator.decorator.js';
import { agentName } from '../requests/path.js';
import { C0reLink, type CredentialHeaders } from '../services/c0re.link.js';

const TIME = { type: String, format: 'date-time' } as const;

export class StateFileQueryDto {
  @ApiProperty({ example: 'scout' })
  @IsString()
  @MaxLength(64)
  agent!: string;

  @ApiPropertyOptional({
    description: "Below the agent's state folder, or /shared/…",
    example: 'notes/plan.md',
  })
  @IsOptional()
  @IsString()
  @MaxLength(4096)
  path?: string;
}

export class StateFileSchema implements StateFileAnswer {
  @ApiProperty() agent!: string;
  @ApiProperty() path!: string;
  @ApiProperty() bytes!: number;
  @ApiProperty(TIME) modified_at!: string;
  @ApiProperty({ type: String, nullable: true }) text!: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'When it is not UTF-8.' })
  base64!: string | null;
}

class StateEntrySchema {
  @ApiProperty() name!: string;
  @ApiProperty({ enum: ['file', 'folder', 'other'] }) kind!: 'file' | 'folder' | 'other';
  @ApiProperty() bytes!: number;
  @ApiProperty(TIME) modified_at!: string;
  @ApiProperty() readable!: boolean;
}
export class StateFolderSchema implements StateFolderAnswer {
  @ApiProperty() agent!: string;
  @ApiProperty() path!: string;
  @ApiProperty({ type: [StateEntrySchema] }) entries!: StateEntrySchema[];
  @ApiPropertyOptional({ enum: [true] }) truncated?: true;
}

/** Files that agents keep. c0re reads them and checks each path itself; nothing is read here (PRODUCT 8.2). */
@ApiTags('agents')
@Controller('api')
export class StateFilesController {
  constructor(private readonly c0re: C0reLink) {}

  @Get('state-file')
  @ApiOperation({ summary: "A file of an agent's state folder or of the shared space" })
  @ApiOkResponse({ type: StateFileSchema })
  file(
    @Query() query: StateFileQueryDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<StateFileSchema> {
    return this.c0re.ask(`/v1/state-file?${search(query)}`, operator);
  }

  @Get('state-files')
  @ApiOperation({ summary: 'What lies in a folder there' })
  @ApiOkResponse({ type: StateFolderSchema })
  folder(
    @Query() query: StateFileQueryDto,
    @Operator() operator: CredentialHeaders,
  ): Promise<StateFolderSchema> {
    return this.c0re.ask(`/v1/state-files?${search(query)}`, operator);
  }
}

function search({ agent, path = '' }: StateFileQueryDto): string {
  return new URLSearchParams({ agent: agentName(agent), path }).toString();
}
