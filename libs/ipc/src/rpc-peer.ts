import type { Socket } from 'node:net';

import { HiveError, toErrorBody } from '#libs/protocol';

import { JsonLineWriter, readJsonLines } from './json-lines.js';

/** Methods by name as `[params, result]`. */
export type RpcApi<T> = { [K in keyof T]: [unknown, unknown] };

/** What a handler may know of the call and its connection. */
export interface CallContext {
  /** Aborted when the caller cancels the call or its connection closes. */
  readonly signal: CallSignal;
  readonly peer: RpcPeer;
}

/** What the handlers use of an AbortSignal: one of those costs more than many a call that it belongs to. */
export type CallSignal = Pick<AbortSignal, 'aborted'> & {
  addEventListener(type: 'abort', listener: () => void, options?: { once: true }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
};

/** The handlers of one peer's table of requests. */
export type RpcHandlers<Api extends RpcApi<Api>> = {
  [K in keyof Api]: (params: Api[K][0], context: CallContext) => Promise<Api[K][1]> | Api[K][1];
};

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
  cleanUp(): void;
}
type Frame = {
  id?: number;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { code?: string; message?: string };
};

/**
 * One end of a pipelined JSON-RPC connection. Both ends may call; answers come in any order. Frames are JSON lines:
 * `{id, method, params}` · `{id, result}` · `{id, error: {code, message, details?}}` · `{method: "$/cancel", params: {id}}`.
 */
export class RpcPeer {
  private nextId = 1;
  private readonly waiting = new Map<number, Waiting>();
  private readonly running = new Map<number, RunningCall>();
  private readonly writer: JsonLineWriter;
  private readonly closed = Promise.withResolvers<void>();

  constructor(
    private readonly socket: Socket,
    private readonly handlers: Record<string, (params: never, context: CallContext) => unknown>,
    private readonly onBug: (error: unknown, method: string) => void,
  ) {
    this.writer = new JsonLineWriter(socket);
    readJsonLines(socket, (frames) => {
      for (const frame of frames) this.take(frame as Frame);
    });
    socket.on('error', () => {});
    socket.on('close', () => this.end());
  }

  /** Settles when the connection is gone. */
  get whenClosed(): Promise<void> {
    return this.closed.promise;
  }

  get isOpen(): boolean {
    return !this.socket.destroyed;
  }

  /**
   * Calls the other end. Rejects with the HiveError that it answered, `unavailable` when the connection closes before
   * the answer (the call may have been carried out), or `cancelled` when `signal` aborts.
   */
  call<Api extends RpcApi<Api>, K extends keyof Api & string>(
    method: K,
    params: Api[K][0],
    signal?: AbortSignal,
  ): Promise<Api[K][1]> {
    if (!this.isOpen) return Promise.reject(connectionLost());
    if (signal?.aborted)
      return Promise.reject(
        new HiveError('cancelled', 'the call was cancelled before it was sent'),
      );
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const cancel = () => {
        this.writer.write({ method: '$/cancel', params: { id } });
        this.settle(id)?.reject(new HiveError('cancelled', 'the call was cancelled'));
      };
      signal?.addEventListener('abort', cancel, { once: true });
      this.waiting.set(id, {
        resolve,
        reject,
        cleanUp: () => signal?.removeEventListener('abort', cancel),
      });
      this.writer.write({ id, method, params });
    });
  }

  /** Ends the connection; what waits is rejected. */
  close(): void {
    this.writer.flush();
    this.socket.end();
    this.socket.destroySoon();
  }

  private take(frame: Frame): void {
    if (frame.method === '$/cancel') {
      this.running.get((frame.params as { id: number }).id)?.abort();
    } else if (frame.method !== undefined) {
      void this.serve(frame.id, frame.method, frame.params);
    } else if (frame.id !== undefined) {
      const waiting = this.settle(frame.id);
      if (frame.error) waiting?.reject(HiveError.from(frame.error));
      else waiting?.resolve(frame.result);
    }
  }

  private async serve(id: number | undefined, method: string, params: unknown): Promise<void> {
    const call = new RunningCall();
    if (id !== undefined) this.running.set(id, call);
    try {
      const handler = Object.hasOwn(this.handlers, method) ? this.handlers[method] : undefined;
      if (!handler)
        throw new HiveError(
          'unknown_method',
          `"${method.slice(0, 64)}" is not a request of this socket`,
        );
      const result = await handler((params ?? {}) as never, { signal: call, peer: this });
      if (id !== undefined) this.writer.write({ id, result });
    } catch (error) {
      if (!(error instanceof HiveError)) this.onBug(error, method);
      if (id !== undefined) this.writer.write({ id, error: toErrorBody(error).error });
    } finally {
      if (id !== undefined) this.running.delete(id);
    }
  }

  private settle(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    waiting?.cleanUp();
    return waiting;
  }

  private end(): void {
    for (const call of this.running.values()) call.abort();
    // A Map may lose entries while it is walked.
    for (const id of this.waiting.keys()) this.settle(id)?.reject(connectionLost());
    this.closed.resolve();
  }
}

/** The signal of a call that is carried out. */
class RunningCall implements CallSignal {
  aborted = false;
  private listeners: (() => void)[] | undefined;

  addEventListener(_type: 'abort', listener: () => void): void {
    if (this.aborted) return;
    if (this.listeners) this.listeners.push(listener);
    else this.listeners = [listener];
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.listeners = this.listeners?.filter((other) => other !== listener);
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    const listeners = this.listeners ?? [];
    this.listeners = undefined;
    for (const listener of listeners) listener();
  }
}

function connectionLost(): HiveError {
  return new HiveError(
    'unavailable',
    'the connection closed before the answer came; the call may have been carried out',
  );
}
