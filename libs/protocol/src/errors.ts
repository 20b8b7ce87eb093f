/** Every error code that crosses a process border, with the HTTP status it maps to. */
export const ERROR_STATUS = {
  invalid_request: 400,
  unknown_field: 400,
  malformed_json: 400,
  body_too_long: 400,
  invalid_name: 400,
  invalid_config: 400,
  unknown_recipient: 404,
  recipient_not_allowed: 403,
  not_available_yet: 501,
  unauthorized: 401,
  operator_required: 401,
  forbidden: 403,
  not_readable: 403,
  not_found: 404,
  unknown_method: 404,
  name_taken: 409,
  conflict: 409,
  idempotency_conflict: 409,
  superseded: 409,
  request_expired: 409,
  instance_superseded: 410,
  inbox_full: 429,
  rate_limited: 429,
  too_many_sessions: 429,
  too_many_waiting_calls: 429,
  too_large: 413,
  cancelled: 499,
  internal: 500,
  outcome_unknown: 503,
  unavailable: 503,
  driver_unavailable: 503,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** The one shape of an error on every wire (INTERFACES "Dashboard HTTP"). */
export interface ErrorBody {
  error: { code: ErrorCode; message: string; details?: unknown };
}

/**
 * A refusal that may cross a process border: a stable code, a sentence that says what was wrong, the limit and
 * what to do, and optional data. Anything else that is thrown is a bug and becomes `internal` at the edge.
 */
export class HiveError extends Error {
  override readonly name = 'HiveError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details?: unknown,
  ) {
    super(message);
  }

  get status(): number {
    return ERROR_STATUS[this.code];
  }

  toBody(): ErrorBody {
    return {
      error: {
        code: this.code,
        message: this.message,
        ...(this.details === undefined ? {} : { details: this.details }),
      },
    };
  }

  /** Rebuilds the error that a peer sent; an unknown code becomes `internal`. */
  static from(body: { code?: string; message?: string; details?: unknown }): HiveError {
    const code =
      body.code !== undefined && body.code in ERROR_STATUS ? (body.code as ErrorCode) : 'internal';
    return new HiveError(code, body.message ?? 'the other side gave no reason', body.details);
  }
}

/** The error as it may be shown outside: a HiveError as it is, anything else as `internal` without its text. */
export function toErrorBody(error: unknown): ErrorBody {
  if (error instanceof HiveError) return error.toBody();
  return new HiveError('internal', 'something broke inside the hive; its log says what').toBody();
}
