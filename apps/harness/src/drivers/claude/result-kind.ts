import type { TurnOutcome } from '../turn-driver.js';
import type { ResultMessage } from './stream-message.js';

/** Kinds of API errors, as `assistant.error` names them, that are the account's or the provider's, not the turn's. */
const BY_ERROR: Record<string, TurnOutcome['kind']> = {
  authentication_failed: 'auth_failed',
  oauth_org_not_allowed: 'auth_failed',
  rate_limit: 'rate_limited',
  billing_error: 'rate_limited',
  overloaded: 'rate_limited',
  server_error: 'rate_limited',
};

/**
 * What a result means for the turn. An outage of the provider counts as `rate_limited`: it is not the turn's own
 * failure and adds no attempt (P13). `error` is the kind of the last API error that the CLI reported.
 */
export function resultKind(
  result: ResultMessage,
  error: string | undefined,
): { kind: TurnOutcome['kind']; note: string } {
  if (result.is_error === false && result.subtype === 'success') return { kind: 'ok', note: '' };
  const said = result.result || result.errors?.join('; ') || result.subtype || 'no reason given';
  const reason = result.terminal_reason ?? '';
  if (reason.startsWith('aborted')) return { kind: 'interrupted', note: '' };
  if (reason === 'prompt_too_long') return { kind: 'prompt_too_long', note: said };
  const status = result.api_error_status ?? undefined;
  if (status === 401 || status === 403) return { kind: 'auth_failed', note: said };
  if (status === 429) return { kind: 'rate_limited', note: said };
  const kind = (error && BY_ERROR[error]) || (status && status >= 500 ? 'rate_limited' : 'failed');
  return { kind, note: kind === 'rate_limited' ? `the model is not available: ${said}` : said };
}
