import { chmodSync, lchownSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';

import { SOCKET_PATH_BYTES } from '#libs/ipc';
import {
  AGENT_NAME,
  clip,
  HiveError,
  LIMITS,
  OPERATOR_HEADERS,
  toErrorBody,
  type OperatorCredential,
} from '#libs/protocol';
import { C0RE_ROUTES, validate, type C0rePeer, type C0reRoute } from '#libs/requests';
import type { Logger } from '#libs/service';

import { UNKNOWN, type AuditEntry } from '../audit/audit.repository.js';
import type { C0reAnswer, C0reRequest, RequestHandlers } from './request-handler.js';

/** Longest that a peer may take to send a request, in milliseconds. */
const REQUEST_MS = 10_000;
/** Connections that one peer may hold. */
const MOST_CONNECTIONS = 256;

export interface PeerServerOptions {
  peer: C0rePeer;
  socketPath: string;
  /** Group that the socket must belong to; undefined leaves it as it is made. */
  group: number | undefined;
  handlers: RequestHandlers;
  /** Throws `operator_required` unless the credential is the operator's; returns by which kind. */
  requireOperator: (credential: OperatorCredential) => string;
  /** Throws unless the token is one with which the manager may act now; returns the manager's name. */
  requireManager: (token: string | undefined) => Promise<string>;
  audit: (entry: AuditEntry) => void;
  logger: Logger;
}

/** Who asks, as the audit log and operations name it. */
interface Caller {
  who: string;
  via: string;
  askedBy: string;
}

/** Serves one peer's requests, those of the table and no other, on one unix socket (P29). */
export class PeerServer {
  private readonly app: FastifyInstance;

  constructor(private readonly options: PeerServerOptions) {
    this.app = fastify({
      logger: false,
      bodyLimit: LIMITS.request_bytes,
      requestTimeout: REQUEST_MS,
      forceCloseConnections: true,
      exposeHeadRoutes: false,
      frameworkErrors: (error, _request, reply) => {
        this.fail(error, reply);
      },
    });
    this.app.server.maxConnections = MOST_CONNECTIONS;
    this.readJsonOnly();
    this.app.setErrorHandler((error, _request, reply) => this.fail(error, reply));
    this.app.setNotFoundHandler((request, reply) => {
      const asked = clip(`${request.method} ${request.url}`, 100);
      return this.fail(
        new HiveError('unknown_method', `"${asked}" is not a request of this socket`),
        reply,
      );
    });
    for (const [name, route] of Object.entries(C0RE_ROUTES) as [
      keyof typeof C0RE_ROUTES,
      C0reRoute,
    ][]) {
      if (!route.peers.includes(options.peer)) continue;
      this.app.route({
        method: route.method,
        url: route.path,
        handler: (request, reply) => this.serve(name, route, request, reply),
      });
    }
  }

  async listen(): Promise<void> {
    const { socketPath, peer, group } = this.options;
    if (Buffer.byteLength(socketPath) > SOCKET_PATH_BYTES) {
      throw new Error(
        `the socket path ${socketPath} is longer than ${SOCKET_PATH_BYTES} bytes; use a shorter HIVE_RUNTIME_DIR`,
      );
    }
    makeSocketFolder(path.dirname(socketPath), group);
    rmSync(socketPath, { force: true });
    const mode = peer === 'admin' ? 0o600 : 0o660;
    // The socket must not be open to anybody else for an instant.
    const before = process.umask(0o777 & ~mode);
    try {
      await this.app.listen({ path: socketPath });
    } finally {
      process.umask(before);
    }
    const found = lstatSync(socketPath);
    if (group !== undefined && found.gid !== group) lchownSync(socketPath, found.uid, group);
    chmodSync(socketPath, mode);
  }

  async close(): Promise<void> {
    await this.app.close();
  }

  private async serve(
    name: keyof RequestHandlers,
    route: C0reRoute,
    raw: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const { handlers, audit } = this.options;
    const { name: named, id } = raw.params as { name?: string; id?: string };
    const target = named ?? id ?? null;
    const caller = this.callerOf(route);
    let answer: C0reAnswer;
    try {
      await this.admit(route, raw, caller);
      const request: C0reRequest = {
        peer: this.options.peer,
        askedBy: caller.askedBy,
        name: agentName(named ?? null),
        id: id ?? '',
        body: shaped(route.body, raw.body ?? {}, 'body'),
        query: shaped(route.query, { ...(raw.query as object) }, 'query'),
        credential: credentialOf(raw),
      };
      answer = await handlers[name](request);
    } catch (error) {
      if (route.audited) {
        const result = error instanceof HiveError ? error.code : 'internal';
        const { who, via } = caller;
        audit({ who, via, action: name, target: target && clip(target, 64), result });
      }
      throw error;
    }
    if (route.audited) {
      audit({
        who: caller.via === 'none' ? 'operator' : caller.who,
        via: caller.via === 'none' ? 'login' : caller.via,
        action: name,
        target: answer.target ?? target,
        result: answer.audit ?? 'ok',
      });
    }
    return reply.code(answer.status ?? 200).send(answer.body);
  }

  /** Whom a request is taken for before its credential was looked at. */
  private callerOf({ manager }: C0reRoute): Caller {
    if (this.options.peer === 'admin') {
      return { who: 'operator', via: 'admin', askedBy: 'operator (admin socket)' };
    }
    return { who: UNKNOWN, via: 'none', askedBy: manager ? UNKNOWN : 'operator' };
  }

  /** Throws unless the request carries the credential that its route asks for; notes who showed it. */
  private async admit(route: C0reRoute, raw: FastifyRequest, caller: Caller): Promise<void> {
    const { peer, requireOperator, requireManager } = this.options;
    if (route.operator && peer !== 'admin') {
      caller.via = requireOperator(credentialOf(raw));
      caller.who = 'operator';
    }
    if (route.manager) {
      const name = await requireManager(credentialOf(raw).bearer);
      Object.assign(caller, { who: name, via: 'manager', askedBy: name } satisfies Caller);
    }
  }

  /** Takes JSON bodies in UTF-8 and no others. */
  private readJsonOnly(): void {
    const parse = this.app.getDefaultJsonParser('error', 'error');
    this.app.removeAllContentTypeParsers();
    this.app.addContentTypeParser(
      'application/json',
      { parseAs: 'buffer' },
      (request, body, done) => {
        if (body.length === 0) {
          done(null, undefined);
          return;
        }
        let text: string;
        try {
          text = new TextDecoder('utf-8', { fatal: true }).decode(body as Buffer);
        } catch {
          done(new HiveError('malformed_json', 'the body is not UTF-8'), undefined);
          return;
        }
        void parse(request, text, (error, value) => {
          if (error) done(new HiveError('malformed_json', 'the body is not JSON'), undefined);
          else done(null, value);
        });
      },
    );
  }

  private fail(error: unknown, reply: FastifyReply): FastifyReply {
    const refusal = asRefusal(error);
    if (refusal === undefined) {
      this.options.logger.error({ err: error }, 'a request broke');
      return reply.code(500).send(toErrorBody(error));
    }
    return reply.code(refusal.status).send(refusal.toBody());
  }
}

/** The supervisor makes the folder; without one, c0re makes it for that peer alone. */
function makeSocketFolder(folder: string, group: number | undefined): void {
  if (lstatSync(folder, { throwIfNoEntry: false })) return;
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  if (group !== undefined) lchownSync(folder, 0, group);
  chmodSync(folder, group === undefined ? 0o700 : 0o2750);
}

function agentName(name: string | null): string {
  if (name === null) return '';
  if (AGENT_NAME.test(name)) return name;
  throw new HiveError('invalid_name', `${JSON.stringify(clip(name, 40))} is not an agent name`);
}

function shaped(shape: (new () => object) | null, input: unknown, what: string): object {
  if (shape !== null) return validate(shape, input);
  if (typeof input === 'object' && input !== null && Object.keys(input).length === 0) return {};
  throw new HiveError('unknown_field', `this request has no ${what}`);
}

function credentialOf({ headers }: FastifyRequest): OperatorCredential {
  const one = (name: string) => {
    const value = headers[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const authorization = one(OPERATOR_HEADERS.bearer);
  return {
    // Another scheme than Bearer is a wrong credential, not a missing one.
    bearer: authorization?.replace(/^Bearer +/i, ''),
    page_secret: one(OPERATOR_HEADERS.page_secret),
    cookie: one(OPERATOR_HEADERS.cookie),
  };
}

/** The refusal for an error that the peer made; undefined for a bug of ours. */
function asRefusal(error: unknown): HiveError | undefined {
  if (error instanceof HiveError) return error;
  const { statusCode, code, message } = error as {
    statusCode?: number;
    code?: string;
    message?: string;
  };
  if (statusCode === 413) {
    return new HiveError('too_large', `a request may have ${LIMITS.request_bytes} bytes`);
  }
  if (statusCode === 415) return new HiveError('invalid_request', 'send application/json');
  if (statusCode !== undefined && statusCode < 500 && code?.startsWith('FST_')) {
    return new HiveError('invalid_request', message ?? 'the request is malformed');
  }
  return undefined;
}
