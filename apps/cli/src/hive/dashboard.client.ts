import type { ErrorBody } from '#libs/protocol';

import { CommandFailure, EXIT } from '../exit-codes.js';

/** Longest wait for an answer, in milliseconds: an operation that is waited for may take two minutes. */
const ANSWER_MS = 130_000;

/** The dashboard's HTTP API, as the operator. */
export class DashboardClient {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  get<T>(path: string): Promise<T> {
    return this.call<T>('GET', path);
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.call<T>('POST', path, body);
  }

  private async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    let status: number;
    let text: string;
    try {
      const response = await fetch(new URL(path, this.url), {
        method,
        headers: {
          authorization: `Bearer ${this.token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      status = response.status;
      text = await response.text();
    } catch (error) {
      const { cause, message } = error as Error & { cause?: Error };
      throw new CommandFailure(
        EXIT.failed,
        `the dashboard at ${this.url} does not answer (${cause?.message ?? message}); it may be restarting, try again`,
        'unreachable',
      );
    }
    const answer = parse(text);
    if (status < 400) return answer as T;
    const refusal = (answer as Partial<ErrorBody> | undefined)?.error;
    if (status === 401) {
      throw new CommandFailure(
        EXIT.failed,
        'the hive does not take this operator token; is HIVE_OPERATOR_TOKEN that of another hive?',
        'operator_required',
      );
    }
    throw new CommandFailure(
      EXIT.failed,
      refusal?.message ?? `the dashboard answered ${status} without a reason`,
      refusal?.code ?? 'failed',
      refusal?.details,
    );
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
