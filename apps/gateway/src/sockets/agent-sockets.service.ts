import { createServer, type Server } from 'node:http';

import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';

import type { BrokerGatewayApi } from '#libs/protocol';

import { BrokerLink } from '../broker/broker-link.service.js';
import { Door } from '../door/door.js';
import { EgressProxy, isForElsewhere } from '../egress/egress-proxy.service.js';
import { GatewayOptions, REQUEST_MS } from '../gateway.options.js';
import { listenInFolder } from './socket-file.js';

type AgentFolder = BrokerGatewayApi['agent_sockets'][1]['agents'][number];

/** Pause before a folder that could not be used is tried again, in milliseconds. */
const RETRY_MS = 2000;
/** As the TCP listener: an idle connection of a harness is kept between its polls. */
const KEEP_ALIVE_MS = 72_000;

interface Listener {
  folder: string;
  server: Server;
  afterClose: () => void;
}

/**
 * The same application on a unix socket in each agent's run folder (P35): for containers without a network. Follows the
 * registry; a socket takes only its own agent's tokens.
 */
@Injectable()
export class AgentSockets {
  private readonly listeners = new Map<string, Listener>();
  private work: Promise<void> = Promise.resolve();
  private takeBackRetry: () => void = () => {};
  private isStopping = false;
  private instance: FastifyInstance | undefined;

  constructor(
    private readonly options: GatewayOptions,
    private readonly link: BrokerLink,
    private readonly door: Door,
    private readonly egress: EgressProxy,
  ) {}

  start(instance: FastifyInstance): void {
    this.instance = instance;
    this.link.onConnected(() => this.refresh());
    this.link.onAgentsChanged(() => this.refresh());
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    this.takeBackRetry();
    await this.work;
    await Promise.all([...this.listeners.keys()].map((agentId) => this.close(agentId)));
  }

  /** Fetches the list again and follows it; one round at a time, in order. */
  private refresh(): void {
    this.takeBackRetry();
    this.work = this.next(this.work);
  }

  private async next(before: Promise<void>): Promise<void> {
    await before;
    if (this.isStopping) return;
    try {
      await this.follow();
    } catch (error) {
      this.options.logger.warn({ err: error }, "could not learn the agents' folders; trying again");
      this.retry();
    }
  }

  private async follow(): Promise<void> {
    const { agents } = await this.link.call({
      method: 'agent_sockets',
      params: () => ({}),
      patienceMs: this.options.harnessPatienceMs,
    });
    const wanted = new Map(agents.map((agent) => [agent.agent_id, agent]));
    for (const [agentId, listener] of this.listeners) {
      if (wanted.get(agentId)?.run_dir !== listener.folder) await this.close(agentId);
    }
    for (const agent of agents) {
      if (!this.listeners.has(agent.agent_id)) await this.open(agent);
    }
  }

  private async open(agent: AgentFolder): Promise<void> {
    const instance = this.instance;
    if (!instance) return;
    const server = createServer({ requestTimeout: REQUEST_MS }, (request, response) => {
      if (isForElsewhere(request)) {
        void this.egress.forward(agent, request, response);
        return;
      }
      this.door.markSocket(request, agent.agent_id);
      instance.routing(request, response);
    });
    server.on('connect', (request, socket, head) => {
      void this.egress.tunnel(agent, request, socket, head);
    });
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    try {
      const afterClose = await listenInFolder(server, agent.run_dir);
      server.on('error', (error) =>
        this.options.logger.error({ err: error, agent: agent.name }, "an agent's socket failed"),
      );
      this.listeners.set(agent.agent_id, { folder: agent.run_dir, server, afterClose });
      this.options.logger.debug({ agent: agent.name }, 'listening in its run folder');
    } catch (error) {
      // Its folder may be made later, or the agent may just be going away.
      this.options.logger.warn(
        { agent: agent.name, reason: (error as Error).message },
        'cannot listen in its run folder; trying again',
      );
      this.retry();
    }
  }

  private async close(agentId: string): Promise<void> {
    const listener = this.listeners.get(agentId);
    if (!listener) return;
    this.listeners.delete(agentId);
    await new Promise<void>((resolve) => {
      listener.server.close(() => resolve());
      listener.server.closeAllConnections();
    });
    listener.afterClose();
  }

  private retry(): void {
    if (this.isStopping) return;
    this.takeBackRetry();
    this.takeBackRetry = this.options.clock.after(RETRY_MS, () => this.refresh());
  }
}
