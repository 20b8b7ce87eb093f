import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

/** A message as the hive's `recv` gives it, as far as a driver needs it. */
export interface LoopbackMessage {
  id: string;
  body: string;
}

/** A real MCP server with the hive's name and two of its tools, for tests of a driver alone. */
export class LoopbackHive {
  readonly sent: { to: string; body: string }[] = [];
  /** What `recv` and `recv_batch` hand out. */
  readonly inbox: LoopbackMessage[] = [];
  /** Bearer tokens that were used. */
  readonly tokens = new Set<string>();
  /** Another token than this one is refused. Undefined: all are taken. */
  onlyToken: string | undefined;
  private readonly sessions = new Map<string, StreamableHTTPServerTransport>();
  private readonly server: Server;
  private waiting: (() => void) | undefined;

  private constructor() {
    this.server = createServer((request, response) => {
      const token = (request.headers.authorization ?? '').replace('Bearer ', '');
      if (this.onlyToken !== undefined && token !== this.onlyToken) {
        response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
        return;
      }
      this.tokens.add(token);
      void this.serve(request, response);
    });
  }

  static async start(): Promise<LoopbackHive> {
    const hive = new LoopbackHive();
    await new Promise<void>((resolve) => {
      hive.server.listen(0, '127.0.0.1', resolve);
    });
    return hive;
  }

  /** Value of HIVE_GATEWAY_URL. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Settles when a client waits in `recv` with nothing to give. */
  get whenWaiting(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const transport = await this.transport(request.headers['mcp-session-id']);
    if (transport) await transport.handleRequest(request, response);
    else response.writeHead(404).end();
  }

  private async transport(
    session: string | string[] | undefined,
  ): Promise<StreamableHTTPServerTransport | undefined> {
    if (typeof session === 'string') return this.sessions.get(session);
    const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => {
        this.sessions.set(id, transport);
      },
    });
    await this.tools().connect(transport);
    return transport;
  }

  private tools(): McpServer {
    const server = new McpServer({ name: 'hyperhive', version: '1.0.0' });
    const message = z.object({ id: z.string(), body: z.string() });
    server.registerTool(
      'send',
      {
        description: 'Send a message',
        inputSchema: { to: z.string(), body: z.string(), in_reply_to: z.string().optional() },
        outputSchema: { id: z.string() },
      },
      ({ to, body }) => {
        this.sent.push({ to, body });
        const structuredContent = { id: `m${1000 + this.sent.length}` };
        return { structuredContent, content: [{ type: 'text', text: 'sent' }] };
      },
    );
    server.registerTool(
      'recv',
      {
        description: 'Receive a message',
        inputSchema: { wait_seconds: z.number().optional() },
        outputSchema: { message: message.nullable(), pending: z.number() },
      },
      async ({ wait_seconds: waitSeconds = 0 }) => {
        if (this.inbox.length === 0 && waitSeconds > 0) {
          this.waiting?.();
          await new Promise((resolve) => {
            setTimeout(resolve, waitSeconds * 1000).unref();
          });
        }
        const structuredContent = {
          message: this.inbox.shift() ?? null,
          pending: this.inbox.length,
        };
        return { structuredContent, content: [{ type: 'text', text: 'see the data' }] };
      },
    );
    server.registerTool(
      'recv_batch',
      {
        description: 'Receive messages',
        inputSchema: { max: z.number() },
        outputSchema: { messages: z.array(message), pending: z.number() },
      },
      ({ max }) => {
        const structuredContent = { messages: this.inbox.splice(0, max), pending: 0 };
        return { structuredContent, content: [{ type: 'text', text: 'see the data' }] };
      },
    );
    return server;
  }
}
