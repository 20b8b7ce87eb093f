import { createHash } from 'node:crypto';

import type { Credential } from './credential.js';

/**
 * A mark by which the sockets of one session are found when it ends; the session cannot be used with it. Bearers have
 * none: the operator token has no log-out.
 */
export function sessionTag(credential: Credential): string | undefined {
  if (credential.bearer !== undefined || credential.page_secret === undefined) return undefined;
  return createHash('sha256').update(credential.page_secret).digest('base64url');
}
