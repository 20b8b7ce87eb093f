import { describe, expect, it } from 'vitest';

import { verifies } from '../../../../../test/requirements/verifies.js';
import { resultKind } from './result-kind.js';

const base = { type: 'result', subtype: 'success' };
const failed = { ...base, is_error: true, terminal_reason: 'api_error', result: 'said' };

describe(verifies('P13', '6.1') + 'kind of a result', () => {
  it.each([
    ['ok', { ...base, is_error: false }, undefined],
    ['failed', { ...base }, undefined],
    ['failed', { ...base, is_error: false, subtype: 'error_max_turns' }, undefined],
    ['interrupted', { ...failed, terminal_reason: 'aborted_tools' }, undefined],
    ['prompt_too_long', { ...failed, terminal_reason: 'prompt_too_long' }, 'invalid_request'],
    ['auth_failed', { ...failed, api_error_status: 401 }, undefined],
    ['auth_failed', { ...failed, api_error_status: null }, 'authentication_failed'],
    ['rate_limited', { ...failed, api_error_status: 429 }, 'rate_limit'],
    ['rate_limited', { ...failed, api_error_status: null }, 'server_error'],
    ['rate_limited', { ...failed, api_error_status: 503 }, 'unknown'],
    ['failed', { ...failed, api_error_status: 400 }, 'unknown'],
    ['failed', { ...failed, api_error_status: 404 }, 'model_not_found'],
  ] as const)('%s', (kind, result, error) => {
    expect(resultKind(result, error).kind).toBe(kind);
  });

  it('says why', () => {
    expect(resultKind(failed, 'unknown').note).toBe('said');
    expect(resultKind({ ...failed, result: '', errors: ['a', 'b'] }, undefined).note).toBe('a; b');
    expect(resultKind(failed, 'server_error').note).toBe('the model is not available: said');
  });
});
