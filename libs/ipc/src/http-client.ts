import { Agent, request } from 'node:http';

import { HiveError } from '#libs/protocol';

export interface HttpSocketCall {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** Default 30 s: operations of c0re answer when they are done. */
  timeoutMs?: number;
}

/** Calls a service that speaks HTTP/1.1 with JSON bodies on a unix socket. */
export class HttpSocketClient {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 16 });

  constructor(private readonly socketPath: string) {}

  /** The parsed answer. Rejects with the HiveError that the service answered, or `unavailable` when it is not there. */
  call<T>({ method, path, body, headers = {}, timeoutMs = 30_000 }: HttpSocketCall): Promise<T> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    return new Promise<T>((resolve, reject) => {
      const outgoing = request(
        {
          socketPath: this.socketPath,
          agent: this.agent,
          method,
          path,
          timeout: timeoutMs,
          headers: {
            ...headers,
            ...(payload === undefined
              ? {}
              : {
                  'content-type': 'application/json',
                  'content-length': Buffer.byteLength(payload),
                }),
          },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', (error) => reject(unavailable(this.socketPath, error)));
          answer.on('end', () => {
            try {
              const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}');
              if ((answer.statusCode ?? 500) < 400) resolve(parsed as T);
              else reject(HiveError.from((parsed as { error?: object }).error ?? {}));
            } catch (error) {
              reject(unavailable(this.socketPath, error));
            }
          });
        },
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      outgoing.on('error', (error) => reject(unavailable(this.socketPath, error)));
      outgoing.end(payload);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

function unavailable(path: string, error: unknown): HiveError {
  return new HiveError(
    'unavailable',
    `the service behind ${path} does not answer (${(error as Error).message}); try again`,
  );
}
