import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Logger } from '#libs/service';

import { asRefusal, sendRefusal } from './refusal.js';

/** Every failure leaves as `{"error": {code, message, details?}}`; what is not a refusal is logged and says nothing. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const error = asRefusal(thrown, request.method, pathOf(request));
    if (error.code === 'internal') {
      this.logger.error({ err: thrown, method: request.method, path: pathOf(request) }, 'failed');
    }
    if (!reply.sent) void sendRefusal(reply, error);
  }
}

/** The path without its query, which may hold a token. */
function pathOf(request: FastifyRequest): string {
  return (request.url.split('?', 1)[0] ?? '').slice(0, 200);
}
