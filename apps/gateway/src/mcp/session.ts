import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  type CallToolResult,
  type JSONRPCRequest,
} from '@modelcontextprotocol/sdk/types.js';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';

import type { Clock } from '#libs/service';

import type { AuthenticatedCaller } from '../door/door.js';
import { TOOL_LISTS } from '../tools/tool-list.js';
import type { ProgressReport, ToolRunner } from '../tools/tool-runner.service.js';
import { currentExchange, type Exchange } from './exchange.js';
import { INSTRUCTIONS } from './instructions.js';
import { SessionTransport } from './session-transport.js';
import { ToolCall, type CancelReason } from './tool-call.js';

/** One for all sessions: the SDK would make one each, and we never ask clients for structured input. */
const SCHEMA_VALIDATOR = new AjvJsonSchemaValidator();

/** How long a closing session waits for its cancelled calls to be answered, in milliseconds. */
const LAST_ANSWERS_MS = 1000;

export interface SessionOptions {
  caller: AuthenticatedCaller;
  clock: Clock;
  hiveRev: string;
  tools: ToolRunner;
  /** The session is initialized and has its id. */
  onOpen: (session: McpSession) => void;
  onClosed: (session: McpSession) => void;
  /** Faults of the transport, to be logged: mostly clients that went away. */
  onError: (error: Error) => void;
}

/** One MCP session of one credential. */
export class McpSession {
  readonly caller: AuthenticatedCaller;
  private readonly server: Server;
  private readonly transport: SessionTransport;
  private readonly calls = new Set<ToolCall>();
  private streams = 0;
  private usedAt: number;
  private closed = false;
  /** Set while the session closes: called when the last call has ended. */
  private whenIdle: (() => void) | undefined;

  constructor(private readonly options: SessionOptions) {
    this.caller = options.caller;
    this.usedAt = options.clock.monotonic();
    this.transport = new SessionTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: () => options.onOpen(this),
    });
    this.server = new Server(
      { name: 'hyperhive', title: 'Hyperhive', version: options.hiveRev },
      {
        capabilities: { tools: {}, logging: {} },
        instructions: INSTRUCTIONS,
        jsonSchemaValidator: SCHEMA_VALIDATOR,
      },
    );
    this.server.setRequestHandler(ListToolsRequestSchema, () => ({
      tools: TOOL_LISTS[options.caller.identity.role],
    }));
    // Not setRequestHandler: that checks the request first and answers what does not fit with a protocol error, and a
    // refused call must be a tool result that says what to do.
    this.server.fallbackRequestHandler = (request, extra) => {
      if (request.method !== 'tools/call') {
        throw new McpError(ErrorCode.MethodNotFound, `there is no method "${request.method}" here`);
      }
      return this.callTool(request, extra);
    };
    this.server.onclose = () => this.afterClose();
    this.server.onerror = options.onError;
  }

  /** The MCP session id; undefined until the session is initialized. */
  get id(): string | undefined {
    return this.transport.sessionId;
  }

  /** Whether a tool call is running. */
  get isBusy(): boolean {
    return this.calls.size > 0;
  }

  /** Monotonic time of the last request. */
  get lastUsed(): number {
    return this.usedAt;
  }

  /** Whether the client holds a GET stream open: it is there, however long it has been silent. */
  get isWatched(): boolean {
    return this.streams > 0;
  }

  /** Must be called once before the first request. */
  open(): Promise<void> {
    return this.server.connect(this.transport);
  }

  /** Hands a POST with its parsed body to the SDK; settles when the answer has begun. */
  async post(
    request: IncomingMessage,
    response: ServerResponse,
    body: unknown,
    exchange: Exchange,
  ): Promise<void> {
    this.usedAt = this.options.clock.monotonic();
    await currentExchange.run(exchange, () =>
      this.transport.handleRequest(request, response, body),
    );
  }

  /** The GET stream. */
  async listen(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.streams += 1;
    response.once('close', () => {
      this.streams -= 1;
      this.usedAt = this.options.clock.monotonic();
    });
    await this.transport.handleRequest(request, response);
  }

  /** DELETE: the client ends the session. */
  async end(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.cancelCalls('session_closed');
    await this.transport.handleRequest(request, response);
  }

  /**
   * Ends the session from this side. Running calls are cancelled at once and, when their client is still there, answered
   * with a refusal that names the reason; no answer of the broker passes any more.
   */
  async close(reason: CancelReason): Promise<void> {
    this.cancelCalls(reason);
    if (this.calls.size > 0) await this.lastAnswers();
    await this.server.close();
  }

  private cancelCalls(reason: CancelReason): void {
    for (const call of this.calls) call.cancel(reason);
  }

  private lastAnswers(): Promise<void> {
    return new Promise((resolve) => {
      const takeBack = this.options.clock.after(LAST_ANSWERS_MS, resolve);
      this.whenIdle = () => {
        takeBack();
        // The SDK puts the answer into the stream some promise ticks after the call ended.
        setImmediate(resolve);
      };
    });
  }

  private async callTool(
    request: JSONRPCRequest,
    extra: Parameters<NonNullable<Server['fallbackRequestHandler']>>[1],
  ): Promise<CallToolResult> {
    const call = new ToolCall(extra.requestId);
    const exchange = currentExchange.getStore();
    const onAbort = () => call.cancel(this.closed ? 'session_closed' : 'cancelled');
    extra.signal.addEventListener('abort', onAbort, { once: true });
    this.calls.add(call);
    exchange?.begin(call);
    const requestIds: string[] = [];
    try {
      return await this.options.tools.run(request.params, {
        caller: this.caller,
        session: this.id ?? '',
        call,
        requestIds,
        progress: progressOf(request, extra),
        warn: (text) => this.warn(text),
      });
    } finally {
      extra.signal.removeEventListener('abort', onAbort);
      this.calls.delete(call);
      if (this.calls.size === 0) this.whenIdle?.();
      exchange?.end(call, requestIds);
      this.usedAt = this.options.clock.monotonic();
      if (call.reason === 'cancelled') setImmediate(() => void this.transport.drop(call.id));
    }
  }

  /** A log line for the client's GET stream, where its level asks for it. */
  private warn(text: string): void {
    this.server
      .sendLoggingMessage({ level: 'warning', logger: 'hyperhive', data: text }, this.id)
      // The client is gone or listens to nothing.
      .catch(() => {});
  }

  private afterClose(): void {
    if (this.closed) return;
    this.closed = true;
    this.cancelCalls('session_closed');
    this.options.onClosed(this);
  }
}

/** Sends progress on the call's own stream, where the client sent a token for it. */
function progressOf(
  request: JSONRPCRequest,
  extra: Parameters<NonNullable<Server['fallbackRequestHandler']>>[1],
): ProgressReport | undefined {
  const { _meta: meta } = request.params ?? {};
  const progressToken = meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return (progress, total, message) => {
    extra
      .sendNotification({
        method: 'notifications/progress',
        params: { progressToken, progress, total, message },
      })
      // The stream is gone; the call is being cancelled for it.
      .catch(() => {});
  };
}
