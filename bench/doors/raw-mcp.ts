import { Agent, request, type IncomingMessage } from 'node:http';

const PROTOCOL = '2025-06-18';
const connections = new Agent({ keepAlive: true });

/** A session with the MCP gateway that costs its client next to nothing, without a stream of its own. */
export class RawMcpSession {
  private nextId = 1;

  private constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly sessionId: string,
  ) {}

  static async open(gatewayUrl: string, token: string): Promise<RawMcpSession> {
    const url = `${gatewayUrl}/mcp`;
    const clientInfo = { name: 'bench', version: '1.0.0' };
    const params = { protocolVersion: PROTOCOL, capabilities: {}, clientInfo };
    const { headers } = await send(url, 'POST', token, undefined, {
      jsonrpc: '2.0',
      id: 0,
      method: 'initialize',
      params,
    });
    const sessionId = headers['mcp-session-id'];
    if (typeof sessionId !== 'string') throw new Error('initialize gave no session');
    const session = new RawMcpSession(url, token, sessionId);
    await session.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return session;
  }

  /** Calls a tool; throws when the call was refused. */
  async call(name: string, args: object): Promise<void> {
    const params = { name, arguments: args };
    const answer = await this.post({
      jsonrpc: '2.0',
      id: this.nextId++,
      method: 'tools/call',
      params,
    });
    if (!answer.includes('"result"') || answer.includes('"isError":true'))
      throw new Error(`${name} was answered ${answer.slice(0, 500)}`);
  }

  async close(): Promise<void> {
    await send(this.url, 'DELETE', this.token, this.sessionId);
  }

  private async post(message: object): Promise<string> {
    return (await send(this.url, 'POST', this.token, this.sessionId, message)).text;
  }
}

function send(
  url: string,
  method: 'POST' | 'DELETE',
  token: string,
  sessionId: string | undefined,
  message?: object,
): Promise<{ text: string; headers: IncomingMessage['headers'] }> {
  const payload = message ? JSON.stringify(message) : '';
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method,
        agent: connections,
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json, text/event-stream',
          ...(message ? { 'content-type': 'application/json' } : {}),
          'content-length': Buffer.byteLength(payload),
          ...(sessionId ? { 'mcp-session-id': sessionId, 'mcp-protocol-version': PROTOCOL } : {}),
        },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          if ((answer.statusCode ?? 500) < 300) resolve({ text, headers: answer.headers });
          else
            reject(new Error(`${method} was answered ${answer.statusCode}: ${text.slice(0, 500)}`));
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}
