import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';

import { HiveError } from '#libs/protocol';

import { reasonOf } from '../logging/log.js';
import { fs, http } from '../platform/builtins.js';

export interface DoorOptions {
  /** `http://host:port`, without a trailing slash. */
  url: string;
  /** Unix socket that is used instead of the address of `url`. */
  socketPath: string | undefined;
  /** File with the bearer token; read for each request, so that a new token counts at once. */
  tokenFile: string;
}
export interface PostOptions {
  timeoutMs: number;
  signal?: AbortSignal;
}

/** Longest answer that is taken, in bytes: 11 messages of 4 KiB with contexts are far below. */
const MOST_ANSWER_BYTES = 4 * 1024 * 1024;

/** The gateway's door: JSON over HTTP/1.1 with kept connections. */
export class HttpDoor {
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  private readonly target: RequestOptions;
  private readonly prefix: string;

  constructor(private readonly options: DoorOptions) {
    const url = new URL(options.url);
    this.prefix = url.pathname.replace(/\/+$/, '');
    this.target =
      options.socketPath === undefined
        ? { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port || 80 }
        : { socketPath: options.socketPath };
  }

  /**
   * Posts `body` and returns the parsed answer. Rejects with the HiveError that the gateway answered, `unavailable` when
   * it is not there or speaks something else (the call may have been carried out), or `cancelled` when `signal` aborts.
   */
  post<T>(path: string, body: unknown, { timeoutMs, signal }: PostOptions): Promise<T> {
    const payload = JSON.stringify(body);
    return new Promise<T>((resolve, reject) => {
      let outgoing: ClientRequest;
      try {
        outgoing = http.request({
          ...this.target,
          agent: this.agent,
          method: 'POST',
          path: `${this.prefix}${path}`,
          headers: {
            authorization: `Bearer ${fs.readFileSync(this.options.tokenFile, 'utf8').trim()}`,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(payload),
          },
        });
      } catch (error) {
        return reject(this.unavailable(error));
      }
      const abort = () => outgoing.destroy(new Error('given up'));
      const timer = setTimeout(() => {
        outgoing.destroy(new Error(`no answer within ${Math.round(timeoutMs / 1000)} s`));
      }, timeoutMs);
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
      const fail = (error: unknown) => {
        settle();
        if (signal?.aborted) reject(new HiveError('cancelled', 'the call was given up'));
        else reject(error instanceof HiveError ? error : this.unavailable(error));
      };
      outgoing.on('error', fail);
      outgoing.on('response', (answer) => {
        readAnswer<T>(answer).then(resolve, fail).finally(settle);
      });
      outgoing.end(payload);
    });
  }

  close(): void {
    this.agent.destroy();
  }

  private unavailable(error: unknown): HiveError {
    const where = this.options.socketPath ?? this.options.url;
    return new HiveError('unavailable', `the gateway at ${where} failed: ${reasonOf(error)}`);
  }
}

async function readAnswer<T>(answer: IncomingMessage): Promise<T> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MOST_ANSWER_BYTES)
      throw new Error(`the answer has over ${MOST_ANSWER_BYTES} bytes`);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const status = answer.statusCode ?? 0;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error(`HTTP ${status} with something that is not JSON`);
  }
  if (status >= 200 && status < 300) return parsed as T;
  const error = (parsed as { error?: { code?: string; message?: string } } | null)?.error;
  if (error?.code === undefined) throw new Error(`HTTP ${status} without the hive's error`);
  throw HiveError.from(error);
}
