import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import { HiveError, LIMITS, toErrorBody, type ErrorCode } from '#libs/protocol';

import { GatewayOptions } from '../gateway.options.js';

/** Gives every error of a request the one shape `{"error": {code, message, details?}}`. */
@Catch()
export class ErrorBodyFilter implements ExceptionFilter {
  constructor(private readonly options: GatewayOptions) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (reply.sent || reply.raw.headersSent) {
      this.options.logger.debug({ err: error }, 'an error after the answer had begun');
      reply.raw.destroy();
      return;
    }
    const { status, refusal } = asRefusal(error);
    if (status >= 500 && !(error instanceof HiveError)) {
      this.options.logger.error({ err: error }, 'a request failed');
    }
    if (status === 503) void reply.header('retry-after', '1');
    void reply.code(status).send(toErrorBody(refusal));
  }
}

function asRefusal(error: unknown): { status: number; refusal: unknown } {
  if (error instanceof HiveError) return { status: error.status, refusal: error };
  const status = statusOf(error);
  if (status === undefined || status >= 500) return { status: 500, refusal: error };
  const { code, message } = explain(status);
  return { status, refusal: new HiveError(code, message) };
}

/** Status of an exception of Nest or of a FastifyError (a body that could not be read). */
function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const status: unknown = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}

function explain(status: number): { code: ErrorCode; message: string } {
  switch (status) {
    case 400:
      return {
        code: 'malformed_json',
        message: 'the body is not valid JSON; send one JSON object',
      };
    case 404:
      return {
        code: 'not_found',
        message:
          'there is nothing here; the gateway answers /mcp (MCP over Streamable HTTP) and POST /harness/v1/…',
      };
    case 413:
      return {
        code: 'too_large',
        message: `the request is over the limit of ${LIMITS.request_bytes} bytes; send less at once`,
      };
    case 415:
      return {
        code: 'invalid_request',
        message: 'send the body as JSON with the header "Content-Type: application/json"',
      };
    default:
      return { code: 'invalid_request', message: 'the request cannot be read' };
  }
}
