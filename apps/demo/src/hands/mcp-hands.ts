import { readFileSync } from 'node:fs';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';

import type {
  AskParams,
  Message,
  OpenAsk,
  OwnReminder,
  PeerRow,
  RemindParams,
  SendParams,
  SendResult,
} from '#libs/protocol';

/** Tries while the gateway is being restarted, and the pause between them in milliseconds. */
const TRIES = 20;
const PAUSE_MS = 500;

/** A tool said no: its text says why. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  constructor(
    readonly tool: string,
    message: string,
  ) {
    super(message);
  }
}

/** What a scripted agent can do in the hive: the gateway's tools, by the official MCP client. */
export class McpHands {
  private client: Client | undefined;

  constructor(
    private readonly gatewayUrl: string,
    private readonly tokenFile: string,
  ) {}

  send(message: SendParams): Promise<SendResult> {
    return this.call('send', { ...message });
  }

  async drain(): Promise<Message[]> {
    const { messages } = await this.call<{ messages: Message[] }>('recv_batch', { max: 32 });
    return messages;
  }

  async status(text: string): Promise<void> {
    await this.call('set_status', { text });
  }

  async again(): Promise<void> {
    await this.call('request_next_turn', {});
  }

  async peers(): Promise<PeerRow[]> {
    const { agents } = await this.call<{ agents: PeerRow[] }>('list_agents', {});
    return agents;
  }

  async ask(question: AskParams): Promise<void> {
    await this.call('ask', { ...question });
  }

  async asks(): Promise<OpenAsk[]> {
    const { asks } = await this.call<{ asks: OpenAsk[] }>('list_my_asks', {});
    return asks;
  }

  async remind(reminder: RemindParams): Promise<void> {
    await this.call('remind', { ...reminder });
  }

  async reminders(): Promise<OwnReminder[]> {
    const { reminders } = await this.call<{ reminders: OwnReminder[] }>('list_my_reminders', {});
    return reminders;
  }

  async close(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    await client?.close().catch(() => undefined);
  }

  /** Calls a tool, again over a new connection when the old one broke; throws RefusedError when it said no. */
  private async call<T>(tool: string, args: Record<string, unknown>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        const client = await this.connection();
        const result = (await client.callTool({ name: tool, arguments: args })) as CallToolResult;
        if (result.isError === true) throw new RefusedError(tool, textOf(result));
        return result.structuredContent as T;
      } catch (error) {
        if (error instanceof RefusedError || tries === TRIES) throw error;
        await this.close();
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  private async connection(): Promise<Client> {
    if (this.client) return this.client;
    const client = new Client({ name: 'hyperhive-demo', version: '1.0.0' });
    const token = readFileSync(this.tokenFile, 'utf8').trim();
    await client.connect(
      new StreamableHTTPClientTransport(new URL('/mcp', this.gatewayUrl), {
        requestInit: { headers: { authorization: `Bearer ${token}` } },
      }),
    );
    this.client = client;
    return client;
  }
}

function textOf({ content }: CallToolResult): string {
  const [first] = content;
  return first?.type === 'text' ? first.text : 'refused without a reason';
}
