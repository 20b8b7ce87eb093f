import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';

import { HiveError, OPERATOR_HEADERS, toErrorBody, type OperationRow } from '#libs/protocol';

/** A request as it reached c0re's socket. */
export interface SeenRequest {
  method: string;
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: unknown;
}
type Handler = (request: SeenRequest) => unknown;

/**
 * c0re's end of the dashboard's socket for the tests that need it to fail, or to show what reached it. It knows one
 * operator token and the sessions of the links that it made.
 */
export class ScriptedC0re {
  readonly operatorToken = `operator-${randomUUID()}`;
  readonly requests: SeenRequest[] = [];
  private readonly links = new Set<string>();
  private readonly sessions = new Map<string, string>();
  private readonly handlers = new Map<string, Handler>();
  private server: Server | undefined;

  constructor(private readonly path: string) {
    this.on('GET /v1/health', () => ({ ok: true }));
    this.on('GET /v1/operations', () => ({ operations: [operation('start', 'scout')] }));
    this.on('GET /v1/approvals', () => ({ approvals: [] }));
    this.on('GET /v1/meta-inputs', () => ({ meta_inputs: [], log: [] }));
    this.on('GET /v1/tombstones', () => ({ tombstones: [] }));
    this.on('POST /v1/login', ({ body }) => this.login((body as { token: string }).token));
    this.on('POST /v1/sessions/check', (request) => this.check(request));
    this.on('POST /v1/logout', ({ headers }) => {
      this.sessions.delete(String(headers[OPERATOR_HEADERS.cookie]));
      return {};
    });
    this.on('POST /v1/login-links', () => ({
      token: this.link(),
      expires_at: '2026-01-01T00:10:00.000Z',
    }));
  }

  /** Answers `METHOD /path` (without its query) by `handler`. */
  on(route: string, handler: Handler): void {
    this.handlers.set(route, handler);
  }

  /** A one-time login token. */
  link(): string {
    const token = `link-${randomUUID()}`;
    this.links.add(token);
    return token;
  }

  async start(): Promise<void> {
    rmSync(this.path, { force: true });
    const server = createServer((request, response) => {
      void this.answer(request).then(([status, body]) =>
        response
          .writeHead(status, { 'content-type': 'application/json' })
          .end(JSON.stringify(body)),
      );
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(this.path, resolve));
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  }

  private async answer(request: IncomingMessage): Promise<[status: number, body: unknown]> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    const text = Buffer.concat(chunks).toString();
    const seen = { method, path: url, headers, body: text ? (JSON.parse(text) as unknown) : null };
    this.requests.push(seen);
    try {
      const handler = this.handlers.get(`${method} ${url.split('?', 1)[0] ?? ''}`);
      if (!handler) throw new HiveError('not_found', `${method} ${url} is not a request of c0re`);
      return [200, handler(seen)];
    } catch (error) {
      return [error instanceof HiveError ? error.status : 500, toErrorBody(error)];
    }
  }

  private login(token: string): unknown {
    if (!this.links.delete(token)) throw new HiveError('operator_required', 'unknown token');
    const cookie = `cookie-${randomUUID()}`;
    const page_secret = `secret-${randomUUID()}`;
    this.sessions.set(cookie, page_secret);
    return { cookie, page_secret, expires_at: '2026-01-01T12:00:00.000Z' };
  }

  private check({ headers }: SeenRequest): unknown {
    if (headers[OPERATOR_HEADERS.bearer] === `Bearer ${this.operatorToken}`) {
      return { scope: 'api', kind: 'token' };
    }
    const secret = this.sessions.get(String(headers[OPERATOR_HEADERS.cookie]));
    const given = headers[OPERATOR_HEADERS.page_secret];
    if (secret === undefined || (given !== undefined && given !== secret)) {
      throw new HiveError('operator_required', 'no such session');
    }
    return { scope: given === undefined ? 'page' : 'api', kind: 'session' };
  }
}

/** An operation as c0re would answer it. */
export function operation(kind: string, agent: string): OperationRow {
  return {
    version: 1,
    id: 'o1',
    kind,
    agent,
    parent: null,
    state: 'queued',
    asked_by: 'operator',
    reason: '',
    asked_at: '2026-01-01T00:00:00.000Z',
    started_at: null,
    ended_at: null,
    error: null,
  };
}
