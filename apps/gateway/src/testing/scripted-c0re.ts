import { createServer, type Server } from 'node:http';

import type { ErrorBody } from '#libs/protocol';

/** A request of the gateway's as c0re got it. */
export interface C0reRequest {
  method: string;
  url: string;
  authorization: string | undefined;
  body: Record<string, unknown> | undefined;
}

type Answer = { status?: number; body: object };

/** c0re's end of c0re-gateway.sock, saying what a test wants. */
export class ScriptedC0re {
  readonly requests: C0reRequest[] = [];
  answer: (request: C0reRequest) => Answer = () => ({ body: {} });
  private server: Server | undefined;

  constructor(private readonly path: string) {}

  async start(): Promise<void> {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const seen: C0reRequest = {
          method: request.method ?? '',
          url: request.url ?? '',
          authorization: request.headers.authorization,
          body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>),
        };
        this.requests.push(seen);
        const { status = 200, body } = this.answer(seen);
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => this.server?.listen(this.path, resolve));
  }

  refuse(status: number, error: ErrorBody['error']): void {
    this.answer = () => ({ status, body: { error } });
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    server?.closeAllConnections();
    if (server) await new Promise((resolve) => server.close(resolve));
  }
}
