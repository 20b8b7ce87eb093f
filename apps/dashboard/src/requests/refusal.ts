import { HttpException } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import { HiveError, LIMITS, toErrorBody } from '#libs/protocol';

/** Sends a refusal in the one shape of errors (INTERFACES "Dashboard HTTP"). */
export function sendRefusal(reply: FastifyReply, error: HiveError): FastifyReply {
  if (error.status === 401) void reply.header('www-authenticate', 'Bearer realm="hyperhive"');
  return reply
    .code(error.status)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(toErrorBody(error));
}

/** The refusal behind whatever was thrown by us, by Nest or by Fastify. */
export function asRefusal(thrown: unknown, method: string, path: string): HiveError {
  if (thrown instanceof HiveError) return thrown;
  const { statusCode, message } = thrown as {
    statusCode?: unknown;
    message?: unknown;
  };
  const status = thrown instanceof HttpException ? thrown.getStatus() : statusCode;
  if (status === 413) {
    return new HiveError('too_large', `a request may be ${LIMITS.request_bytes} bytes at most`);
  }
  if (status === 415) {
    return new HiveError('invalid_request', 'send the body as content-type: application/json');
  }
  if (status === 404) return new HiveError('not_found', `${method} ${path} does not exist`);
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new HiveError('invalid_request', `the request cannot be read: ${String(message)}`);
  }
  return new HiveError('internal', 'something broke in the dashboard; its log says what');
}
