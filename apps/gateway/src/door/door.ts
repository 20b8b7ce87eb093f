import type { IncomingMessage } from 'node:http';

import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { HiveError, toErrorBody, type Identity } from '#libs/protocol';

import { GatewayOptions } from '../gateway.options.js';
import { OpenAnswers } from '../limits/open-answers.service.js';
import { OwnHosts } from './hosts.js';
import { credentialOf, Identities } from './identities.service.js';

/** Who makes a request, proven by its bearer token. */
export interface AuthenticatedCaller {
  credential: string;
  /** The token itself, for what c0re checks; it is kept nowhere else. */
  token: string;
  identity: Identity;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the door on every request that reaches a controller. */
    caller: AuthenticatedCaller | null;
  }
}

/** Longest token that is hashed; ours are far shorter. */
const TOKEN_CHARS = 512;
/** Seconds after which a client may ask again while the broker is away. */
const RETRY_AFTER_SECONDS = '1';

/**
 * What every request passes before its body is read: Host and Origin (against DNS rebinding), then the bearer token.
 * On an agent's own socket only that agent's tokens are good.
 */
@Injectable()
export class Door {
  private readonly hosts: OwnHosts;
  private readonly socketAgents = new WeakMap<IncomingMessage, string>();
  private isClosing = false;

  constructor(
    private readonly options: GatewayOptions,
    private readonly identities: Identities,
    private readonly openAnswers: OpenAnswers,
  ) {
    this.hosts = new OwnHosts(options.host);
  }

  attach(instance: FastifyInstance): void {
    instance.decorateRequest('caller', null);
    instance.addHook('onRequest', (request, reply) => this.check(request, reply));
  }

  /** Says that this request came by the socket of agent `agentId`. */
  markSocket(request: IncomingMessage, agentId: string): void {
    this.socketAgents.set(request, agentId);
  }

  /** From now on everything is answered `unavailable`. */
  close(): void {
    this.isClosing = true;
  }

  private async check(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    this.openAnswers.add(reply.raw);
    const { host, origin, authorization } = request.headers;
    if (!this.hosts.isOwnHost(host) || !this.hosts.isOwnOrigin(origin)) {
      return refuse(
        reply,
        new HiveError(
          'forbidden',
          'the Host or Origin header names another site; agents reach the gateway by its own address',
        ),
      );
    }
    if (request.is404) return undefined;
    if (this.isClosing) return refuse(reply, restarting());
    const token = bearerOf(authorization);
    if (token === undefined) {
      return challenge(
        reply,
        'send the header "Authorization: Bearer <token>"; the token is in the file that HIVE_TOKEN_FILE names',
      );
    }
    const credential = credentialOf(token);
    try {
      const identity = await this.identities.of(credential);
      const only = this.socketAgents.get(request.raw);
      if (only !== undefined && only !== identity.agent_id) {
        return challenge(reply, "this socket belongs to another agent; use your own agent's", true);
      }
      request.caller = { credential, token, identity };
      return undefined;
    } catch (error) {
      if (error instanceof HiveError && error.code === 'superseded') {
        return challenge(reply, error.message, true);
      }
      if (error instanceof HiveError && error.code === 'unauthorized') {
        return challenge(
          reply,
          'the token is not known to the hive, or its agent or run has ended; read HIVE_TOKEN_FILE again',
          true,
        );
      }
      if (!(error instanceof HiveError)) {
        this.options.logger.error({ err: error }, 'a credential could not be checked');
      }
      return refuse(reply, error);
    }
  }
}

/** The refusal of whatever comes while the gateway stops. */
export function restarting(): HiveError {
  return new HiveError('unavailable', 'the gateway is being restarted; try again in a few seconds');
}

function bearerOf(header: string | undefined): string | undefined {
  const match = /^bearer +([\x21-\x7e]+) *$/i.exec(header ?? '');
  const token = match?.[1];
  return token !== undefined && token.length <= TOKEN_CHARS ? token : undefined;
}

function challenge(reply: FastifyReply, message: string, isWrong = false): FastifyReply {
  reply.header(
    'www-authenticate',
    `Bearer realm="hyperhive"${isWrong ? ', error="invalid_token"' : ''}`,
  );
  return refuse(reply, new HiveError('unauthorized', message));
}

function refuse(reply: FastifyReply, error: unknown): FastifyReply {
  const status = error instanceof HiveError ? error.status : 500;
  if (status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS);
  return reply.code(status).send(toErrorBody(error));
}
