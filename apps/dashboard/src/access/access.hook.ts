import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { HiveError } from '#libs/protocol';
import type { Logger } from '#libs/service';

import { asRefusal, sendRefusal } from '../requests/refusal.js';
import type { CredentialHeaders } from '../services/c0re.link.js';
import type { AccessService } from './access.service.js';
import { comingFromElsewhere, LOGIN_NEEDED, NOT_THERE, sendNotice } from './notice.page.js';
import { scopeOf } from './route-scope.js';
import { TOOL_PAGE_POLICY } from './security-headers.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The operator's credential for c0re, set when the request was admitted. */
    operator?: CredentialHeaders;
  }
}

/** Open to health checks by any name. */
const HEALTH = new Set(['/healthz', '/readyz']);
/** Pages of Bull Board and of the API browser. */
const TOOL_PAGE = /^\/(api\/docs|queues)(\/|$)/;

/**
 * The one door: every request, whoever serves it, passes here before its body is read. Host and Origin must be ours,
 * and c0re must say that the credential opens what the route needs.
 */
export function guardDoor(http: FastifyInstance, access: AccessService, logger: Logger): void {
  http.addHook('onRequest', async (request, reply) => {
    const route = request.is404 ? undefined : request.routeOptions.url;
    const scope = scopeOf(request.method, route);
    if (TOOL_PAGE.test(route ?? '')) reply.header('content-security-policy', TOOL_PAGE_POLICY);
    if (scope !== 'page') reply.header('cache-control', 'no-store');
    try {
      if (!HEALTH.has(route ?? '')) access.hosts.check(request.raw);
      if (scope === 'open') return undefined;
      request.operator = await access.require(scope, access.credentialOf(request));
      return undefined;
    } catch (error) {
      // Answered here, not thrown: the tools have error handlers of their own.
      if (scope === 'page' && wantsPage(request)) return sendPageRefusal(request, reply, error);
      if (!(error instanceof HiveError)) logger.error({ err: error }, 'the door failed');
      return sendRefusal(reply, asRefusal(error, request.method, ''));
    }
  });
}

/** Whether the browser came here by way of another site and therefore sends no SameSite=Strict cookie. */
export function isFromElsewhere(request: FastifyRequest): boolean {
  return request.headers['sec-fetch-site'] === 'cross-site';
}

function wantsPage(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes('text/html');
}

function sendPageRefusal(
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
): FastifyReply {
  const refusal = asRefusal(error, request.method, '');
  if (refusal.code === 'forbidden') return sendRefusal(reply, refusal);
  if (refusal.code !== 'operator_required') return sendNotice(reply, NOT_THERE);
  return sendNotice(reply, isFromElsewhere(request) ? comingFromElsewhere('') : LOGIN_NEEDED);
}
