import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Tokens of one answer, in the API's own names. */
export interface Usage {
  input_tokens: number;
  output_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
}

/** What the scripted model answers to one request. */
export type Reply =
  | {
      /** A streamed answer: text, then calls of tools; it ends the turn when it calls none. */
      kind: 'message';
      text?: string;
      tools?: { name: string; input: object }[];
      usage?: Partial<Usage>;
    }
  | {
      /** An answer that begins to stream and then stays open until the client closes it. */
      kind: 'stall';
      text?: string;
      usage?: Partial<Usage>;
    }
  | { kind: 'error'; status: number; type: string; message: string; headers?: object };

/** A request as the model saw it. */
export interface ModelRequest {
  /** Counts up from 1. */
  n: number;
  headers: IncomingMessage['headers'];
  model: string;
  /** The whole system prompt as one text. */
  system: string;
  /** Names of the tools whose schemas are in the request. */
  tools: string[];
  messages: { role: string; content: unknown }[];
  /** Text of the newest user message that is not a tool's result. */
  prompt: string;
  /** Results of the tools that the former answer called; empty when the newest message is a prompt. */
  toolResults: { tool_use_id: string; text: string; is_error: boolean }[];
}
export type Script = (request: ModelRequest) => Reply | Promise<Reply>;

/** Reported for an answer whose script names no usage. */
export const DEFAULT_USAGE: Usage = {
  input_tokens: 1000,
  output_tokens: 50,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};

/**
 * An Anthropic Messages API on loopback that answers from a script: real CLIs take it for the model. It records every
 * request, and adds up the usage that it reported, so that a test can compare telemetry with what was really billed.
 */
export class ScriptedModel {
  readonly requests: ModelRequest[] = [];
  /** Requests to any other path than /v1/messages, as `METHOD path`. */
  readonly others: string[] = [];
  /** Sum of the usage of all answers whose last usage was sent. */
  reported: Usage = zero();
  private calls = 0;
  private readonly server: Server;
  private script: Script;

  private constructor(script: Script) {
    this.script = script;
    this.server = createServer((request, response) => {
      void this.serve(request, response);
    });
  }

  /** @param host the loopback address on which it listens */
  static async start(script: Script, host = '127.0.0.1'): Promise<ScriptedModel> {
    const model = new ScriptedModel(script);
    await new Promise<void>((resolve) => {
      model.server.listen(0, host, resolve);
    });
    return model;
  }

  /** Value of ANTHROPIC_BASE_URL. */
  get url(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  /** Answers from now on by another script. */
  follow(script: Script): void {
    this.script = script;
  }

  /** Forgets what was recorded and reported so far. */
  reset(): void {
    this.requests.length = 0;
    this.reported = zero();
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (request.method !== 'POST' || path !== '/v1/messages') {
      this.others.push(`${request.method} ${path}`);
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"type":"error","error":{"type":"not_found_error","message":"not here"}}');
      return;
    }
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Body;
    const seen = readRequest(body, request.headers, ++this.calls);
    this.requests.push(seen);
    const reply = await this.script(seen);
    if (reply.kind === 'error') this.fail(response, reply);
    else if (body.stream === true) this.stream(response, seen, reply);
    else this.answer(response, seen, reply);
  }

  private fail(response: ServerResponse, reply: Reply & { kind: 'error' }): void {
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
    response.end(
      JSON.stringify({ type: 'error', error: { type: reply.type, message: reply.message } }),
    );
  }

  /** A request that asked for no stream. */
  private answer(
    response: ServerResponse,
    request: ModelRequest,
    reply: Reply & { kind: 'message' | 'stall' },
  ): void {
    if (reply.kind === 'stall') return;
    const usage = { ...DEFAULT_USAGE, ...reply.usage };
    const tools = (reply.tools ?? []).map((tool, index) => ({
      type: 'tool_use',
      id: `toolu_${request.n}_${index}`,
      name: tool.name,
      input: tool.input,
    }));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        id: `msg_${process.pid}_${request.n}`,
        type: 'message',
        role: 'assistant',
        model: request.model,
        content: [{ type: 'text', text: reply.text ?? 'Done.' }, ...tools],
        stop_reason: tools.length > 0 ? 'tool_use' : 'end_turn',
        stop_sequence: null,
        usage,
      }),
    );
    this.count(usage);
  }

  private count(usage: Usage): void {
    for (const key of Object.keys(usage) as (keyof Usage)[]) this.reported[key] += usage[key];
  }

  private stream(
    response: ServerResponse,
    request: ModelRequest,
    reply: Reply & { kind: 'message' | 'stall' },
  ): void {
    const usage = { ...DEFAULT_USAGE, ...reply.usage };
    const emit = (event: { type: string } & Record<string, unknown>) => {
      response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    };
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'request-id': `req_${request.n}`,
    });
    emit({
      type: 'message_start',
      message: {
        id: `msg_${process.pid}_${request.n}`,
        type: 'message',
        role: 'assistant',
        model: request.model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...usage, output_tokens: 1 },
      },
    });
    const tools = reply.kind === 'message' ? (reply.tools ?? []) : [];
    let index = 0;
    if (reply.text !== undefined || tools.length === 0) {
      emit({ type: 'content_block_start', index, content_block: { type: 'text', text: '' } });
      emit({
        type: 'content_block_delta',
        index,
        delta: { type: 'text_delta', text: reply.text ?? 'Done.' },
      });
      if (reply.kind === 'stall') return;
      emit({ type: 'content_block_stop', index });
      index += 1;
    }
    for (const tool of tools) {
      const id = `toolu_${request.n}_${index}`;
      emit({
        type: 'content_block_start',
        index,
        content_block: { type: 'tool_use', id, name: tool.name, input: {} },
      });
      emit({
        type: 'content_block_delta',
        index,
        delta: { type: 'input_json_delta', partial_json: JSON.stringify(tool.input) },
      });
      emit({ type: 'content_block_stop', index });
      index += 1;
    }
    emit({
      type: 'message_delta',
      delta: { stop_reason: tools.length > 0 ? 'tool_use' : 'end_turn', stop_sequence: null },
      usage: { ...usage },
    });
    emit({ type: 'message_stop' });
    response.end();
    this.count(usage);
  }
}

interface Body {
  model: string;
  stream?: boolean;
  system?: string | { text: string }[];
  tools?: { name: string }[];
  messages: { role: string; content: unknown }[];
}
interface Block {
  type: string;
  text?: string;
  tool_use_id?: string;
  content?: unknown;
  is_error?: boolean;
}

function readRequest(body: Body, headers: IncomingMessage['headers'], n: number): ModelRequest {
  const users = body.messages.filter((message) => message.role === 'user').map(blocksOf);
  const prompts = users.filter((blocks) => !blocks.some((block) => block.type === 'tool_result'));
  const newest = users.at(-1) ?? [];
  return {
    n,
    headers,
    model: body.model,
    system: textOf(body.system),
    tools: (body.tools ?? []).map((tool) => tool.name),
    messages: body.messages,
    prompt: textOf(prompts.at(-1)),
    toolResults: newest
      .filter((block) => block.type === 'tool_result')
      .map((block) => ({
        tool_use_id: block.tool_use_id ?? '',
        text: textOf(block.content),
        is_error: block.is_error === true,
      })),
  };
}

function blocksOf(message: { content: unknown }): Block[] {
  return typeof message.content === 'string'
    ? [{ type: 'text', text: message.content }]
    : (message.content as Block[]);
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return (content as Block[]).map((block) => block.text ?? '').join('\n');
}

function zero(): Usage {
  return {
    input_tokens: 0,
    output_tokens: 0,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
  };
}
