import type { FastifyHelmetOptions } from '@fastify/helmet';

/** Content security policy of the page: files of this origin only, no inline script or style, framed by nobody. */
const PAGE_POLICY = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'font-src': ["'self'"],
  'connect-src': ["'self'"],
  'manifest-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
  'object-src': ["'none'"],
};

/** The headers of every answer. Not HSTS and no upgrade to https: the dashboard speaks http on this machine. */
export const SECURITY_HEADERS: FastifyHelmetOptions = {
  global: true,
  contentSecurityPolicy: { useDefaults: false, directives: PAGE_POLICY },
  crossOriginResourcePolicy: { policy: 'same-origin' },
  crossOriginOpenerPolicy: { policy: 'same-origin' },
  originAgentCluster: false,
  referrerPolicy: { policy: 'no-referrer' },
  frameguard: { action: 'deny' },
  strictTransportSecurity: false,
  xPermittedCrossDomainPolicies: false,
  xDnsPrefetchControl: { allow: false },
};

/**
 * Policy of the API browser and Bull Board, which bring inline styles of their own. Scripts stay files of this
 * origin; the base URL is allowed because Bull Board sets one.
 */
export const TOOL_PAGE_POLICY = policyText({
  ...PAGE_POLICY,
  'style-src': ["'self'", "'unsafe-inline'"],
  'base-uri': ["'self'"],
});

/** Policy of a page that stands alone: nothing but the one style with this hash. */
export function noticePolicy(styleHash: string): string {
  return policyText({
    'default-src': ["'none'"],
    'style-src': [`'sha256-${styleHash}'`],
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    'frame-ancestors': ["'none'"],
  });
}

function policyText(policy: Record<string, string[]>): string {
  return Object.entries(policy)
    .map(([name, values]) => `${name} ${values.join(' ')}`)
    .join(';');
}
