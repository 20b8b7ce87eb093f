import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';

export interface ToolOptions {
  timeoutMs?: number;
  signal?: AbortSignal;
  onProgress?: (progress: { progress: number; total?: number }) => void;
}

/** The SDK's own client, connected to a gateway with a token. */
export class TestClient {
  private constructor(
    readonly client: Client,
    readonly transport: StreamableHTTPClientTransport,
  ) {}

  static async connect(url: string, token: string): Promise<TestClient> {
    const client = new Client({ name: 'test', version: '1.0.0' });
    const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
      reconnectionOptions: {
        initialReconnectionDelay: 50,
        maxReconnectionDelay: 200,
        reconnectionDelayGrowFactor: 1.5,
        maxRetries: 2,
      },
    });
    await client.connect(transport);
    return new TestClient(client, transport);
  }

  get sessionId(): string {
    return this.transport.sessionId ?? '';
  }

  /** Calls a tool; the result as it came, refusals included. */
  async call(
    name: string,
    args: Record<string, unknown> = {},
    { timeoutMs = 60_000, signal, onProgress }: ToolOptions = {},
  ): Promise<CallToolResult> {
    const result = await this.client.callTool({ name, arguments: args }, undefined, {
      timeout: timeoutMs,
      resetTimeoutOnProgress: true,
      ...(signal ? { signal } : {}),
      ...(onProgress ? { onprogress: onProgress } : {}),
    });
    return result as CallToolResult;
  }

  /** `structuredContent` of a call that must succeed. */
  async data<T>(
    name: string,
    args: Record<string, unknown> = {},
    options?: ToolOptions,
  ): Promise<T> {
    const result = await this.call(name, args, options);
    if (result.isError) throw new Error(`${name} was refused: ${textOf(result)}`);
    return result.structuredContent as T;
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

/** The text of a tool result. */
export function textOf(result: CallToolResult): string {
  const first = result.content[0];
  return first?.type === 'text' ? first.text : '';
}

/** The code of a refused call. */
export function codeOf({ _meta: meta }: CallToolResult): string | undefined {
  return (meta?.['hyperhive/error'] as { code?: string } | undefined)?.code;
}
