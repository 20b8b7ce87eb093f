import { readFileSync } from 'node:fs';
import path from 'node:path';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import type { RunningHive } from './hive.js';

/** An external agent of a running hive: a client of its gateway with the agent's token. */
export class McpAgent {
  private constructor(private readonly client: Client) {}

  /** Spawns the agent and connects as it; end it with `close()`. */
  static async join(hive: RunningHive, name: string): Promise<McpAgent> {
    await hive.api('POST', '/api/agents?wait=1', { name, config: { driver: 'external' } });
    return McpAgent.connect(hive, name);
  }

  /** Connects as an agent that is there. */
  static async connect(hive: RunningHive, name: string): Promise<McpAgent> {
    const token = readFileSync(path.join(hive.home, 'agents', name, 'run/token'), 'utf8').trim();
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(
      new StreamableHTTPClientTransport(new URL('/mcp', hive.gatewayUrl), {
        requestInit: { headers: { authorization: `Bearer ${token}` } },
      }),
    );
    return new McpAgent(client);
  }

  /** Calls a tool and gives its structured answer. Throws what the tool refused with. */
  async call<T>(tool: string, args: Record<string, unknown> = {}): Promise<T> {
    const answer = await this.client.callTool({ name: tool, arguments: args });
    if (answer.isError) throw new Error(JSON.stringify(answer.content));
    return answer.structuredContent as T;
  }

  close(): Promise<void> {
    return this.client.close();
  }
}
