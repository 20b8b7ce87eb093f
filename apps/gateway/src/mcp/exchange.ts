import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServerResponse } from 'node:http';

import type { RequestId } from '@modelcontextprotocol/sdk/types.js';

import type { ToolCall } from './tool-call.js';

/**
 * One POST and its SSE answer: which tool calls it carries, which broker requests these made, and whether the answers
 * were written whole to a connection that was neither closed nor cancelled (P1).
 */
export class Exchange {
  private readonly running = new Set<ToolCall>();
  private readonly made = new Map<RequestId, string[]>();
  private readonly answered: string[] = [];

  /** `onWritten` gets the broker's request ids whose results stood in the finished answer. */
  constructor(response: ServerResponse, onWritten: (requestIds: string[]) => void) {
    response.once('finish', () => onWritten(this.answered));
    // When it comes after `finish`, no call is left to cancel.
    response.once('close', () => {
      for (const call of this.running) call.cancel('connection_closed');
    });
  }

  begin(call: ToolCall): void {
    this.running.add(call);
  }

  /** The call has its result; `requestIds` are the broker's requests behind it. */
  end(call: ToolCall, requestIds: string[]): void {
    this.running.delete(call);
    this.made.set(call.id, requestIds);
  }

  /** The answer to JSON-RPC request `id` was put into the stream. */
  markAnswered(id: RequestId): void {
    this.answered.push(...(this.made.get(id) ?? []));
    this.made.delete(id);
  }
}

/** The exchange of the running code: the SDK does not tell its request handlers which HTTP answer is theirs. */
export const currentExchange = new AsyncLocalStorage<Exchange>();
