import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';

import { ErrorSchema } from '../openapi/answers.schema.js';
import { TOOL_SESSION_PATH } from './tool-session.controller.js';

/** Serves the OpenAPI document, made from the code, at /api/openapi.json and a browser for it at /api/docs. */
export function serveOpenApi(app: NestFastifyApplication, rev: string): void {
  const config = new DocumentBuilder()
    .setTitle('Hyperhive dashboard')
    .setDescription(
      'Everything that the operator sees and does. Errors are `{"error": {code, message, details?}}`; unknown fields are refused.',
    )
    .setVersion(rev)
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'The operator token' }, 'token')
    .addSecurityRequirements('token')
    .build();
  // Built when somebody looks at it: it is most of what the dashboard would do at its start.
  SwaggerModule.setup('api/docs', app, () => describe(app, config), {
    jsonDocumentUrl: 'api/openapi.json',
    raw: ['json'],
    customSiteTitle: 'Hyperhive API',
    customJs: TOOL_SESSION_PATH,
  });
}

function describe(
  app: NestFastifyApplication,
  config: Omit<OpenAPIObject, 'paths'>,
): OpenAPIObject {
  const document = SwaggerModule.createDocument(app, config, { extraModels: [ErrorSchema] });
  for (const item of Object.values(document.paths)) {
    for (const operation of Object.values(item)) describeErrors(operation as Operation);
  }
  return document;
}

interface Operation {
  responses: Record<string, unknown>;
  security?: unknown[];
}

/** Each operation may refuse; those behind the login also when it is missing. */
function describeErrors(operation: Operation): void {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/ErrorSchema' } } };
  const isOpen = operation.security?.length === 0;
  if (!isOpen) operation.responses['401'] = { description: 'Log in first', content };
  operation.responses['default'] = { description: 'Refused or failed', content };
}
