import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { HiveError } from '#libs/protocol';

import type { CredentialHeaders } from '../services/c0re.link.js';

/** The credential headers of the admitted request, to be forwarded to c0re and then forgotten. */
export const Operator = createParamDecorator(
  (_: unknown, context: ExecutionContext): CredentialHeaders => {
    const { operator } = context.switchToHttp().getRequest<FastifyRequest>();
    if (!operator) throw new HiveError('operator_required', 'log in first');
    return operator;
  },
);
