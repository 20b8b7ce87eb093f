import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { HiveError, toErrorBody } from '#libs/protocol';

export interface SeenRequest {
  method: string;
  path: string;
  authorization: string | undefined;
  body: unknown;
}

/** The dashboard's side of the wire: answers what a test says and keeps what was asked. */
export class FakeDashboard {
  readonly requests: SeenRequest[] = [];
  private readonly answers = new Map<string, (request: SeenRequest) => unknown>();
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const { method = '', url = '', headers } = request;
        const body = text === '' ? undefined : (JSON.parse(text) as unknown);
        const seen = { method, path: url, authorization: headers.authorization, body };
        this.requests.push(seen);
        const [status, answer] = this.answer(seen);
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(answer));
      });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Answers `METHOD /path`, its query included when the route names one. */
  on(route: string, answer: (request: SeenRequest) => unknown): void {
    this.answers.set(route, answer);
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private answer(request: SeenRequest): [status: number, body: unknown] {
    const { method, path } = request;
    const exact = this.answers.get(`${method} ${path}`);
    const answer = exact ?? this.answers.get(`${method} ${path.split('?', 1)[0] ?? ''}`);
    try {
      if (!answer) throw new HiveError('not_found', `${method} ${path} does not exist`);
      return [200, answer(request)];
    } catch (error) {
      return [error instanceof HiveError ? error.status : 500, toErrorBody(error)];
    }
  }
}
