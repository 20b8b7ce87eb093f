import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { HiveError } from '#libs/protocol';

import type { AuthenticatedCaller } from './door.js';

/** The caller that the door let in. */
export const Caller = createParamDecorator(
  (_: unknown, context: ExecutionContext): AuthenticatedCaller => {
    const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
    if (caller === null) throw new HiveError('unauthorized', 'no token was checked');
    return caller;
  },
);
