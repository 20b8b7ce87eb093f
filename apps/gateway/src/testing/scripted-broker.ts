import { RpcServer, type CallContext, type RpcPeer } from '#libs/ipc';
import {
  HiveError,
  type BrokerGatewayApi,
  type GatewayCallbacks,
  type Identity,
} from '#libs/protocol';

import { credentialOf } from '../door/identities.service.js';

type Method = keyof BrokerGatewayApi;
type Handler = (params: never, context: CallContext) => unknown;

/**
 * The broker's end of the socket, saying exactly what a test wants at exactly the moment it wants: for the faults
 * between gateway and broker that a real broker cannot be made to have on command.
 */
export class ScriptedBroker {
  readonly calls: { method: string; params: Record<string, unknown> }[] = [];
  private readonly identities = new Map<string, Identity>();
  private readonly table: Record<string, Handler> = {};
  private server: RpcServer<BrokerGatewayApi> | undefined;

  constructor(private readonly path: string) {
    this.on('authenticate', ({ credential }: { credential: string }) => {
      const identity = this.identities.get(credential);
      if (!identity) throw new HiveError('unauthorized', 'unknown credential');
      return identity;
    });
    this.on('agent_sockets', () => ({ agents: [] }));
    this.on('answers_written', () => ({}));
    this.on('session_closed', () => ({ returned: 0 }));
    this.on('recv', () => ({ messages: [], pending: 0 }));
  }

  /** Makes `token` a credential of an agent. */
  knows(
    token: string,
    name: string,
    kind: Identity['credential_kind'] = 'agent',
    role: Identity['role'] = 'agent',
  ): void {
    this.identities.set(credentialOf(token), {
      agent_id: String(name.length * 1000 + name.charCodeAt(0)),
      name,
      role,
      credential_kind: kind,
    });
  }

  forgets(token: string): void {
    this.identities.delete(credentialOf(token));
  }

  on(method: Method, handler: Handler): void {
    this.table[method] = (params, context) => {
      this.calls.push({ method, params });
      return handler(params, context);
    };
  }

  /** Params of the calls of one method so far. */
  of(method: Method): Record<string, unknown>[] {
    return this.calls.filter((call) => call.method === method).map((call) => call.params);
  }

  async start(): Promise<void> {
    this.server = new RpcServer<BrokerGatewayApi>({
      path: this.path,
      handlers: this.table as never,
      onBug: (error) => {
        throw error;
      },
    });
    await this.server.listen();
  }

  /** Ends every connection at once and stops listening, as a killed broker does. */
  async stop(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    await server?.close();
  }

  get peers(): RpcPeer[] {
    return [...(this.server?.connections ?? [])];
  }

  /** Asks the connected gateway. */
  callback<K extends keyof GatewayCallbacks>(
    method: K,
    params: GatewayCallbacks[K][0],
  ): Promise<GatewayCallbacks[K][1]> {
    const peer = this.peers[0];
    if (!peer) throw new Error('no gateway is connected');
    return peer.call<GatewayCallbacks, K>(method, params);
  }
}
