import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { HiveError } from '#libs/protocol';

/** Lets only an agent's own token in: a run token is for tools, and never speaks for the harness (P2). */
@Injectable()
export class AgentTokenGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
    if (caller?.identity.credential_kind === 'agent') return true;
    throw new HiveError(
      'forbidden',
      "this is a run's token, good for /mcp only; the harness API takes the agent's own token",
    );
  }
}
