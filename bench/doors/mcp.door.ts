import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import type { BenchAgent } from '../bench-agents.js';
import { ackedByTheNext, RECEIVE_MS, type Door, type Received } from './door.js';

/** The MCP gateway, with the official SDK's client, one session per agent. */
export class McpDoor implements Door {
  private constructor(private readonly clients: Map<string, Client>) {}

  static async open(gatewayUrl: string, agents: readonly BenchAgent[]): Promise<McpDoor> {
    const clients = new Map<string, Client>();
    for (const agent of agents) {
      const client = new Client({ name: 'bench', version: '1.0.0' });
      const headers = { authorization: `Bearer ${agent.token}` };
      const url = new URL(`${gatewayUrl}/mcp`);
      await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
      clients.set(agent.name, client);
    }
    return new McpDoor(clients);
  }

  async send(from: BenchAgent, to: BenchAgent, body: string): Promise<string> {
    const result = await this.call(from, 'send', { to: to.name, body });
    return (result as { id: string }).id;
  }

  async receive(agent: BenchAgent): Promise<Received> {
    const result = await this.call(agent, 'recv', { wait_seconds: RECEIVE_MS / 1000 });
    const { message } = result as { message: { id: string; redelivered: boolean } | null };
    if (!message || message.redelivered) throw new Error('no new message came');
    return { id: message.id, ack: ackedByTheNext };
  }

  /** One message to each of these agents; settles when it is accepted. */
  async sendToAll(from: BenchAgent, to: readonly BenchAgent[], body: string): Promise<void> {
    await this.call(from, 'send', { to: to.map(({ name }) => name), body });
  }

  /** Waits for at least one message and takes at most `max`. Returns how many came. */
  async receiveBatch(agent: BenchAgent, max: number): Promise<number> {
    const wait = { max, wait_seconds: RECEIVE_MS / 1000 };
    const result = await this.call(agent, 'recv_batch', wait);
    return (result as { messages: unknown[] }).messages.length;
  }

  async close(): Promise<void> {
    await Promise.all([...this.clients.values()].map((client) => client.close()));
  }

  private async call(agent: BenchAgent, name: string, args: object): Promise<unknown> {
    const client = this.clients.get(agent.name);
    if (!client) throw new Error(`${agent.name} has no session`);
    const call = { name, arguments: { ...args } };
    const result = await client.callTool(call, undefined, { timeout: 2 * RECEIVE_MS });
    if (result.isError) throw new Error(JSON.stringify(result.content));
    return result.structuredContent;
  }
}
