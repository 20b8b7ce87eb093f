import type { RequestId } from '@modelcontextprotocol/sdk/types.js';

/**
 * Why a call ends without the answer it asked for: by its client (`cancelled`, `connection_closed`, `session_closed`),
 * because its run was revoked (P4), or because the gateway stops.
 */
export type CancelReason =
  | 'cancelled'
  | 'connection_closed'
  | 'session_closed'
  | 'superseded'
  | 'stopping';

/** One running `tools/call`; cancelling it cancels what it waits for at the broker. */
export class ToolCall {
  private readonly controller = new AbortController();
  private why: CancelReason | undefined;

  /** `id`: the JSON-RPC id of the request. */
  constructor(readonly id: RequestId) {}

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Set once the call was cancelled; the first reason stays. */
  get reason(): CancelReason | undefined {
    return this.why;
  }

  cancel(reason: CancelReason): void {
    if (this.why !== undefined) return;
    this.why = reason;
    this.controller.abort();
  }
}
