import type { ErrorBody } from '#libs/protocol';

import { sessionSecret } from './session.js';

/** A refusal of the hive, or no answer at all (code `unreachable`); `message` is written for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details?: unknown,
  ) {
    super(message);
  }
}

/** How far the hive's clock is ahead of this device's, in milliseconds; ages are shown by the hive's clock. */
let clockOffset = 0;
export function hiveNow(): number {
  return Date.now() + clockOffset;
}

/** Calls the hive's API as the operator. Throws ApiError; a 401 also tells `onLoginNeeded`. */
export async function callApi<T>(
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  const secret = sessionSecret();
  if (secret) headers['x-hive-session'] = secret;
  if (body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, 'unreachable', 'The hive does not answer. Is it running?');
  }
  readClock(response);
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer as T;
  const refusal = (answer as Partial<ErrorBody> | undefined)?.error;
  if (response.status === 401) loginNeeded();
  throw new ApiError(
    response.status,
    refusal?.code ?? 'internal',
    refusal?.message ?? `The hive answered ${response.status} without a reason.`,
    refusal?.details,
  );
}

let loginNeeded: () => void = () => undefined;
/** What happens when the hive no longer accepts the session. */
export function onLoginNeeded(then: () => void): void {
  loginNeeded = then;
}

/** The words of any failure, for the place where it happened. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The Date header counts whole seconds, so only a clear difference is taken. */
function readClock(response: Response): void {
  const date = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(date)) return;
  const offset = date - Date.now();
  clockOffset = Math.abs(offset) > 3000 ? offset : 0;
}
