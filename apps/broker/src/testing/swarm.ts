import type { CallContext } from '#libs/ipc';
import {
  HiveError,
  type EndAnswer,
  type EndRequest,
  type HeartbeatAnswer,
  type HelloAnswer,
  type HelloRequest,
  type PollAnswer,
  type PollRequest,
  type RecvResult,
  type RegistryAgent,
  type SendParams,
  type SendResult,
  type TurnGrant,
} from '#libs/protocol';

import { DeliveriesRepository } from '../deliveries/deliveries.repository.js';
import type { DeliveryRecord } from '../deliveries/delivery.js';
import type { MessageRecord } from '../messages/message.js';
import { MessagesRepository } from '../messages/messages.repository.js';
import {
  endRequest,
  helloRequest,
  openTestBroker,
  pollRequest,
  registryAgent,
  sha256,
  tokenOf,
  type TestBroker,
  type TestBrokerOptions,
} from './test-broker.js';

/** A turn that a test's harness works on. */
export interface TestTurn extends TurnGrant {
  agent: string;
  instance: number;
  /** Credential of its CLI. */
  run: string;
}

export interface RecvOptions {
  session?: string;
  max?: number;
  wait_ms?: number;
  request_id?: string;
  signal?: AbortSignal;
}

/** A broker with agents, and what their harnesses, CLIs and bare clients do, in short. */
export class Swarm {
  broker: TestBroker;
  private readonly entries = new Map<string, RegistryAgent>();
  private revision = 0;
  private runs = 0;

  /** Agents get the ids 1, 2, 3 … in the order of their names. */
  static async open(
    agents: readonly (string | [string, Partial<RegistryAgent>])[],
    options: TestBrokerOptions = {},
  ): Promise<Swarm> {
    const swarm = new Swarm();
    agents.forEach((agent, index) => {
      const [name, changes] = typeof agent === 'string' ? [agent, {}] : agent;
      swarm.entries.set(name, registryAgent(index + 1, name, changes));
    });
    await swarm.start(options);
    return swarm;
  }

  get clock(): TestBroker['clock'] {
    return this.broker.clock;
  }

  /** Opens a broker on the same folder and the same clock, after `crash` or `broker.close`. */
  async reopen(options: TestBrokerOptions = {}): Promise<void> {
    await this.start({ ...options, dbDir: this.broker.dir, clock: this.broker.clock });
  }

  crash(): void {
    this.broker.crash();
  }

  context(signal?: AbortSignal): CallContext {
    return this.broker.context(signal);
  }

  id(agent: string): number {
    return Number(this.entries.get(agent)?.agent_id ?? 0);
  }

  /** The agent's own long-lived credential. */
  token(agent: string): string {
    return tokenOf(this.id(agent), agent);
  }

  /** Changes an agent's entry in the registry, as c0re does. */
  async putAgent(agent: string, changes: Partial<RegistryAgent>): Promise<void> {
    const before = this.entries.get(agent) ?? registryAgent(this.entries.size + 1, agent);
    const entry = { ...before, ...changes };
    this.entries.set(agent, entry);
    this.revision += 1;
    await this.broker.c0re.put_agent({ revision: this.revision, agent: entry }, this.context());
  }

  /** Sends with an agent's own credential, or with a run's when `from` is a turn. */
  async send(
    from: string | TestTurn,
    to: SendParams['to'],
    body: string,
    options: Partial<SendParams & { request_id: string }> = {},
  ): Promise<SendResult> {
    return this.broker.gateway.send(
      {
        credential: this.credential(from),
        request_id: this.broker.requestId(),
        session: 'sender',
        to,
        body,
        ...options,
      },
      this.context(),
    );
  }

  /** A message of the operator. */
  async operatorSends(
    to: string,
    body: string,
    options: Partial<SendParams> = {},
  ): Promise<SendResult> {
    return this.broker.dashboard.send(
      { request_id: this.broker.requestId(), to, body, ...options },
      this.context(),
    );
  }

  /** `recv` of a bare client (an agent's name) or of a turn's CLI. */
  async recv(from: string | TestTurn, options: RecvOptions = {}): Promise<RecvResult> {
    const { session = 'session', max = 1, wait_ms = 0, signal } = options;
    return this.broker.gateway.recv(
      {
        credential: this.credential(from),
        request_id: options.request_id ?? this.broker.requestId(),
        session,
        max,
        wait_ms,
      },
      this.context(signal),
    );
  }

  /** `recv` whose answer the gateway then writes whole to its client. */
  async recvShown(from: string | TestTurn, options: RecvOptions = {}): Promise<RecvResult> {
    const request_id = this.broker.requestId();
    const result = await this.recv(from, { ...options, request_id });
    await this.written(request_id);
    return result;
  }

  /** The gateway wrote the answers to these requests whole. */
  async written(...request_ids: string[]): Promise<void> {
    await this.broker.gateway.answers_written({ request_ids }, this.context());
  }

  /** A harness that c0re started says hello: c0re announces its number first. */
  async hello(
    agent: string,
    instance = 1,
    changes: Partial<HelloRequest> = {},
  ): Promise<HelloAnswer> {
    const announced = this.entries.get(agent)?.instance;
    if (announced !== undefined && announced < instance) await this.putAgent(agent, { instance });
    return this.broker.gateway.hello(
      { credential: this.token(agent), ...helloRequest(instance, changes) },
      this.context(),
    );
  }

  async poll(
    agent: string,
    changes: Partial<PollRequest> = {},
    signal?: AbortSignal,
  ): Promise<PollAnswer> {
    const request = pollRequest(1, `run-${++this.runs}`, changes);
    return this.broker.gateway.poll_turn(
      { credential: this.token(agent), ...request },
      this.context(signal),
    );
  }

  /** Polls, and returns the turn that it is given; throws when there is none. */
  async turn(agent: string, changes: Partial<PollRequest> = {}): Promise<TestTurn> {
    const run = changes.run_token_hash ?? sha256(`run-${this.runs + 1}`);
    const { turn } = await this.poll(agent, changes);
    if (!turn) throw new Error(`no turn for ${agent}`);
    return { ...turn, agent, instance: changes.instance ?? 1, run };
  }

  async end(turn: TestTurn, changes: Partial<EndRequest> = {}): Promise<EndAnswer> {
    return this.broker.gateway.end_turn(
      {
        credential: this.token(turn.agent),
        turn_id: turn.turn_id,
        end: endRequest(turn.instance, changes),
      },
      this.context(),
    );
  }

  async heartbeat(
    turn: TestTurn,
    changes: { confirm?: string[]; wait_seconds?: number } = {},
  ): Promise<HeartbeatAnswer> {
    return this.broker.gateway.heartbeat(
      {
        credential: this.token(turn.agent),
        turn_id: turn.turn_id,
        instance: turn.instance,
        turn_state: 'running',
        confirm: [],
        wait_seconds: 0,
        ...changes,
      },
      this.context(),
    );
  }

  /** The row of a delivery. */
  delivery(message: string, recipient: string): DeliveryRecord {
    const row = this.broker.app
      .get(DeliveriesRepository)
      .find(Number(message.slice(1)), recipient === 'operator' ? 0 : this.id(recipient));
    if (!row) throw new Error(`no delivery of ${message} to ${recipient}`);
    return row;
  }

  message(id: string): MessageRecord {
    const record = this.broker.app.get(MessagesRepository).find(Number(id.slice(1)));
    if (!record) throw new Error(`no message ${id}`);
    return record;
  }

  /** Moves the clock on in steps of a second, letting the broker do what became due. */
  async pass(seconds: number): Promise<void> {
    for (let left = seconds * 1000; left > 0; left -= 1000) {
      this.clock.advance(Math.min(1000, left));
      await settled();
    }
  }

  private credential(from: string | TestTurn): string {
    return typeof from === 'string' ? this.token(from) : from.run;
  }

  private async start(options: TestBrokerOptions): Promise<void> {
    this.broker = await openTestBroker(options);
    this.revision += 1;
    await this.broker.c0re.put_registry(
      { revision: this.revision, agents: [...this.entries.values()] },
      this.context(),
    );
  }
}

/** Lets everything happen that waits for nothing but its turn in the event loop. */
export async function settled(): Promise<void> {
  for (let n = 0; n < 6; n += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** The code of the HiveError by which `call` is refused; undefined when it is not. */
export async function refusal(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof HiveError) return error.code;
    throw error;
  }
}

/** What of a call is known by now. */
export function watch<T>(call: Promise<T>): { value?: T; refused?: string } {
  const seen: { value?: T; refused?: string } = {};
  call.then(
    (value) => (seen.value = value),
    (error: unknown) => (seen.refused = error instanceof HiveError ? error.code : String(error)),
  );
  return seen;
}
