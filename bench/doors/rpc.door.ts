import { RpcClient } from '#libs/ipc';
import type { BrokerGatewayApi } from '#libs/protocol';

import type { BenchAgent } from '../bench-agents.js';
import { cheapRequestId } from '../uuid7.js';
import { ackedByTheNext, RECEIVE_MS, type Door, type Received } from './door.js';

/** Calls a request of broker-gateway.sock, over the socket or in process. */
export type BrokerCall = <K extends keyof BrokerGatewayApi>(
  method: K,
  params: BrokerGatewayApi[K][0],
) => Promise<BrokerGatewayApi[K][1]>;

/** One connection to the broker's socket, as a gateway has it. */
export function socketDoor(path: string, explicitAcks = false): RpcDoor {
  const client = new RpcClient<BrokerGatewayApi>({ path });
  client.start();
  return new RpcDoor(
    (method, params) => client.call(method, params),
    () => {
      client.close();
      return Promise.resolve();
    },
    explicitAcks,
  );
}

/** The broker's own requests as a gateway makes them for bare clients, one session per agent. */
export class RpcDoor implements Door {
  /** `explicitAcks`: each message is acked by a call of its own before the next one is waited for. */
  constructor(
    private readonly call: BrokerCall,
    private readonly end: () => Promise<void>,
    private readonly explicitAcks = false,
  ) {}

  async send(from: BenchAgent, to: BenchAgent, body: string): Promise<string> {
    const request_id = cheapRequestId();
    const { credential, name } = from;
    const message = { credential, request_id, session: name, to: to.name, body };
    const { id } = await this.call('send', message);
    this.report(request_id);
    return id;
  }

  async receive({ credential, name }: BenchAgent): Promise<Received> {
    const request_id = cheapRequestId();
    const wait = { request_id, max: 1, wait_ms: RECEIVE_MS };
    const { messages } = await this.call('recv', { credential, session: name, ...wait });
    const [message] = messages;
    if (!message || message.redelivered) throw new Error('no new message came');
    const { id } = message;
    this.report(request_id);
    if (!this.explicitAcks) return { id, ack: ackedByTheNext };
    return {
      id,
      ack: async () => {
        const { acked } = await this.call('ack', { credential, session: name, ids: [id] });
        if (acked.length !== 1) throw new Error('the message was not acked');
      },
    };
  }

  close(): Promise<void> {
    return this.end();
  }

  /** At once, so that the broker knows it before the call that the client makes next (P12). */
  private report(requestId: string): void {
    // A report that is lost when the door closes makes no difference to what was measured.
    this.call('answers_written', { request_ids: [requestId] }).catch(() => {});
  }
}
