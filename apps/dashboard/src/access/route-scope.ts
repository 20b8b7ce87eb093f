import type { Scope } from './access.service.js';

/** Open to everyone (P30); `/login` takes a token that is good once. */
const OPEN = new Set(['/healthz', '/readyz', '/login']);
/** What the cookie alone opens: pages and their files, whose scripts then need the second secret for the API. */
const PAGE_ROUTES = [
  /^\/(\*)?$/,
  /^\/api\/openapi\.json$/,
  /^\/api\/docs(\/.*)?$/,
  /^\/tool-session\.js$/,
  /^\/queues(\/(?!api(\/|$)).*)?$/,
];

/**
 * What a request needs, by the pattern of the route that it matched (never by its raw path, which may be written in
 * many ways). What is not named here needs the whole API credential, so a new route is closed until it is opened.
 */
export function scopeOf(method: string, route: string | undefined): Scope | 'open' {
  if (method !== 'GET' && method !== 'HEAD') return 'api';
  if (route === undefined) return 'page';
  if (OPEN.has(route)) return 'open';
  return PAGE_ROUTES.some((pattern) => pattern.test(route)) ? 'page' : 'api';
}
