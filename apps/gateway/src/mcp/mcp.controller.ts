import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import { Controller, Delete, Get, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { WrittenAnswers } from '../broker/written-answers.service.js';
import { Caller } from '../door/caller.decorator.js';
import type { AuthenticatedCaller } from '../door/door.js';
import { Exchange } from './exchange.js';
import { McpSession } from './session.js';
import { Sessions } from './sessions.service.js';

const SESSION_HEADER = 'mcp-session-id';

/** JSON-RPC codes of the transport's own refusals, as the SDK uses them. */
const BAD_REQUEST = -32_000;
const SESSION_NOT_FOUND = -32_001;

/** `/mcp`: finds the session of each request and hands it to the SDK, which writes the answer itself. */
@Controller('mcp')
export class McpController {
  constructor(
    private readonly sessions: Sessions,
    private readonly written: WrittenAnswers,
  ) {}

  @Post()
  async post(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Caller() caller: AuthenticatedCaller,
  ): Promise<void> {
    const session = isInitialize(request)
      ? await this.sessions.create(caller)
      : this.sessionOf(request, reply, caller);
    if (!session) return;
    reply.hijack();
    const exchange = new Exchange(reply.raw, (requestIds) => this.written.report(requestIds));
    await session.post(request.raw, reply.raw, request.body, exchange);
  }

  @Get()
  async listen(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Caller() caller: AuthenticatedCaller,
  ): Promise<void> {
    const session = this.sessionOf(request, reply, caller);
    if (!session) return;
    reply.hijack();
    await session.listen(request.raw, reply.raw);
  }

  @Delete()
  async end(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Caller() caller: AuthenticatedCaller,
  ): Promise<void> {
    const session = this.sessionOf(request, reply, caller);
    if (!session) return;
    reply.hijack();
    await session.end(request.raw, reply.raw);
  }

  /** The session that the request names; answers 400 for none and 404 for one that is not the caller's. */
  private sessionOf(
    request: FastifyRequest,
    reply: FastifyReply,
    caller: AuthenticatedCaller,
  ): McpSession | undefined {
    const id = request.headers[SESSION_HEADER];
    if (typeof id !== 'string' || id === '') {
      refuse(
        reply,
        400,
        BAD_REQUEST,
        'Bad Request: Mcp-Session-Id header is required; begin with initialize',
      );
      return undefined;
    }
    const session = this.sessions.find(id, caller);
    if (!session) {
      refuse(reply, 404, SESSION_NOT_FOUND, 'Session not found; begin a new one with initialize');
    }
    return session;
  }
}

function isInitialize(request: FastifyRequest): boolean {
  if (request.headers[SESSION_HEADER] !== undefined) return false;
  const messages = Array.isArray(request.body) ? request.body : [request.body];
  return messages.some((message) => isInitializeRequest(message));
}

function refuse(reply: FastifyReply, status: number, code: number, message: string): void {
  void reply.code(status).send({ jsonrpc: '2.0', error: { code, message }, id: null });
}
