import { lookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { Injectable } from '@nestjs/common';

import { GatewayOptions } from '../gateway.options.js';
import { isListed, readPolicy } from './egress-policy.js';
import { isPrivateAddress } from './private-addresses.js';

/** Connections of one agent at a time; a CLI has a handful. */
const MOST_CONNECTIONS = 64;
/** A connection on which nothing moves for this long is closed, in milliseconds: a model may think for minutes. */
const IDLE_MS = 15 * 60_000;
const CONNECT_MS = 20_000;
/** Headers that belong to one hop. */
const OF_THIS_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Whose socket a request came by. */
export interface EgressAgent {
  agent_id: string;
  name: string;
  run_dir: string;
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/**
 * The way out for containers with `network: model` (P35): an HTTP proxy on the agent's own socket, and only there. It
 * connects to what c0re listed for that agent and to nothing else: the name is resolved once, and an address that is not
 * of the public internet must itself be listed.
 */
@Injectable()
export class EgressProxy {
  private readonly open = new Map<string, number>();

  constructor(private readonly options: GatewayOptions) {}

  /** `CONNECT host:port`: joins the two sockets. */
  async tunnel(
    agent: EgressAgent,
    request: IncomingMessage,
    near: Duplex,
    head: Buffer,
  ): Promise<void> {
    near.on('error', () => near.destroy());
    try {
      const far = await this.reach(agent, targetOf(`http://${request.url ?? ''}`));
      near.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) far.write(head);
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
      near.pipe(far).pipe(near);
    } catch (error) {
      const { status, text } = this.explain(agent, request.url, error);
      near.end(
        `HTTP/1.1 ${status} Refused\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
      );
    }
  }

  /** `GET http://host/path`: passes one request on. */
  async forward(
    agent: EgressAgent,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    try {
      const url = targetOf(request.url ?? '');
      if (url.protocol !== 'http:') throw new Refusal(400, 'https goes by CONNECT');
      const far = await this.reach(agent, url);
      const outgoing = httpRequest({
        createConnection: () => far,
        method: request.method,
        path: `${url.pathname}${url.search}`,
        headers: { ...passedOn(request.headers), host: url.host },
      });
      outgoing.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 502, passedOn(answer.headers));
        answer.pipe(response);
      });
      outgoing.on('error', () => response.destroy());
      response.on('close', () => far.destroy());
      request.pipe(outgoing);
    } catch (error) {
      const { status, text } = this.explain(agent, request.url, error);
      response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(text);
    }
  }

  /** A connection to that host, when the agent may have one. */
  private async reach(agent: EgressAgent, url: URL): Promise<Socket> {
    const host = url.hostname.replaceAll(/^\[|\]$/g, '');
    const port = Number(url.port || 80);
    const policy = await readPolicy(agent.run_dir);
    if (!isListed(policy, host, port)) {
      throw new Refusal(
        403,
        `${host}:${port} is not open to ${agent.name}; the operator can list it in network_allow`,
      );
    }
    const address = isIP(host) ? host : (await lookup(host, { order: 'ipv4first' })).address;
    if (isPrivateAddress(address) && !isListed(policy, address, port)) {
      throw new Refusal(
        403,
        `${host} is ${address} here, which is not of the public internet; the operator can list that address in network_allow`,
      );
    }
    const held = this.open.get(agent.agent_id) ?? 0;
    if (held >= MOST_CONNECTIONS) {
      throw new Refusal(429, `at most ${MOST_CONNECTIONS} connections of one agent at a time`);
    }
    this.open.set(agent.agent_id, held + 1);
    return this.connectTo(agent, address, port);
  }

  private connectTo({ agent_id }: EgressAgent, host: string, port: number): Promise<Socket> {
    const far = connect({ host, port });
    far.once('close', () => this.open.set(agent_id, (this.open.get(agent_id) ?? 1) - 1));
    far.setTimeout(CONNECT_MS, () => far.destroy(new Error('no answer')));
    return new Promise((resolve, reject) => {
      far.once('error', (error) => reject(new Refusal(502, `${host}:${port}: ${error.message}`)));
      far.once('connect', () => {
        far.on('error', () => far.destroy());
        far.setTimeout(IDLE_MS);
        resolve(far);
      });
    });
  }

  private explain(agent: EgressAgent, url: string | undefined, error: unknown) {
    const status = error instanceof Refusal ? error.status : 502;
    const text = (error as Error).message;
    this.options.logger.warn(
      { agent: agent.name, target: (url ?? '').slice(0, 200), status, reason: text },
      'a connection out of a container was refused',
    );
    return { status, text };
  }
}

/** Whether the request asks for another host than the gateway. */
export function isForElsewhere({ url }: IncomingMessage): boolean {
  return url !== undefined && !url.startsWith('/') && url !== '*';
}

function targetOf(text: string): URL {
  if (!URL.canParse(text)) throw new Refusal(400, 'the target is not a host with a port');
  return new URL(text);
}

function passedOn(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_THIS_HOP.has(name)));
}
