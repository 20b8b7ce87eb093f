import type { IncomingHttpHeaders } from 'node:http';

import type { CookieSerializeOptions } from '@fastify/cookie';

import { OPERATOR_HEADERS } from '#libs/protocol';

import type { CredentialHeaders } from '../services/c0re.link.js';

/** Secrets longer than this are no secrets of ours, in characters. */
const LONGEST_SECRET = 512;
/** How long a browser keeps the cookie, in seconds: c0re ends the session long before (P30). */
const COOKIE_SECONDS = 30 * 24 * 3600;

/** The operator's credential as one request carries it; nothing of it outlives the request. */
export interface Credential {
  bearer?: string;
  page_secret?: string;
  cookie?: string;
}

/** The cookie's name holds the port, because cookies do not (P30). */
export function cookieName(port: number): string {
  return `hive_session_${port}`;
}

/** The cookie opens the page and nothing else, and no script reads it. */
export const COOKIE_OPTIONS: CookieSerializeOptions = {
  path: '/',
  httpOnly: true,
  sameSite: 'strict',
  maxAge: COOKIE_SECONDS,
};

/** What a request holds of the operator's credential. */
export function credentialOf(
  headers: IncomingHttpHeaders,
  cookies: Record<string, string | undefined>,
  port: number,
): Credential {
  const page = headers[OPERATOR_HEADERS.page_secret];
  return {
    ...bearerOf(headers),
    ...secret('cookie', cookies[cookieName(port)]),
    ...secret('page_secret', typeof page === 'string' ? page : undefined),
  };
}

/** The bearer token alone. */
export function bearerOf(headers: IncomingHttpHeaders): Credential {
  return secret('bearer', /^Bearer +([\x21-\x7e]+)$/i.exec(headers.authorization ?? '')?.[1]);
}

/** The headers by which c0re gets the credential. */
export function credentialHeaders(credential: Credential): CredentialHeaders {
  return {
    ...(credential.bearer ? { [OPERATOR_HEADERS.bearer]: `Bearer ${credential.bearer}` } : {}),
    ...(credential.cookie ? { [OPERATOR_HEADERS.cookie]: credential.cookie } : {}),
    ...(credential.page_secret ? { [OPERATOR_HEADERS.page_secret]: credential.page_secret } : {}),
  };
}

/** A secret only when it can be one: printable ASCII of bounded length, so that it is fit for a header. */
function secret(name: keyof Credential, value: string | undefined): Credential {
  const isOne =
    value !== undefined && value.length <= LONGEST_SECRET && /^[\x21-\x7e]+$/.test(value);
  return isOne ? { [name]: value } : {};
}
