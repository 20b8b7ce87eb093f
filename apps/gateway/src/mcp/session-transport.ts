import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  ErrorCode,
  isJSONRPCErrorResponse,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type RequestId,
} from '@modelcontextprotocol/sdk/types.js';

import { currentExchange } from './exchange.js';

/**
 * The SDK's Streamable HTTP transport with SSE answers (its JSON answers leak 4 KB a call), which also notes the answers
 * that went into their stream.
 */
export class SessionTransport extends StreamableHTTPServerTransport {
  override async send(
    message: JSONRPCMessage,
    options?: { relatedRequestId?: RequestId },
  ): Promise<void> {
    await super.send(message, options);
    if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) {
      if (message.id !== undefined) currentExchange.getStore()?.markAnswered(message.id);
    }
  }

  /**
   * Ends the stream of a request that its client cancelled. The SDK sends no answer then and would keep stream, timer
   * and maps until the session ends.
   */
  async drop(id: RequestId): Promise<void> {
    this.closeSSEStream(id);
    try {
      // Nothing is written, the stream is gone; the SDK clears its maps and says so by throwing.
      await super.send({
        jsonrpc: '2.0',
        id,
        error: { code: ErrorCode.ConnectionClosed, message: 'cancelled' },
      });
    } catch {
      // As said above.
    }
  }
}
