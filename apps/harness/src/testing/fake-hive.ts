import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import {
  HiveError,
  type EndAnswer,
  type EndRequest,
  type HarnessCommand,
  type HeartbeatRequest,
  type HelloRequest,
  type Message,
  type PollRequest,
  type TurnEvent,
  type TurnGrant,
} from '#libs/protocol';

type Route = 'hello' | 'turns' | 'heartbeat' | 'events' | 'end';
interface Held {
  route: Route;
  turnId: string;
  response: ServerResponse;
}

/** The harness API on loopback, with just enough of the broker's behaviour to test a harness without a hive. */
export class FakeHive {
  readonly hellos: HelloRequest[] = [];
  readonly polls: PollRequest[] = [];
  readonly heartbeats: (HeartbeatRequest & { turn_id: string })[] = [];
  readonly events: (TurnEvent & { turn_id: string })[] = [];
  readonly ends: { turn_id: string; end: EndRequest }[] = [];
  readonly tokens = new Set<string>();
  /** Refusals to give before the real answer, oldest first, by route. */
  readonly refusals: Partial<Record<Route, HiveError[]>> = {};
  /** Called before a result is answered. */
  onEnd: (turnId: string, end: EndRequest) => void = () => {};
  private grants: TurnGrant[] = [];
  private commands: HarnessCommand[] = [];
  private readonly given = new Set<string>();
  private held: Held[] = [];
  private close: () => Promise<void> = async () => {};
  private port = 0;
  private turns = 0;
  private lost = false;

  static async start(): Promise<FakeHive> {
    const hive = new FakeHive();
    await hive.up();
    return hive;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Listens (again), on the same port as before. */
  async up(): Promise<void> {
    const server = createServer((request, response) => {
      void this.serve(request, response);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    this.close = async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    };
    this.port = (server.address() as AddressInfo).port;
  }

  /** Goes away, with all its connections. */
  async down(): Promise<void> {
    this.held = [];
    await this.close();
  }

  /** Grants a turn to the open or the next poll; returns its id. */
  grant(messages: (Partial<Message> & { body: string })[], more: Partial<TurnGrant> = {}): string {
    this.turns += 1;
    const turnId = `t${this.turns}`;
    this.grants.push({
      turn_id: turnId,
      again: false,
      wake_reason: 'message',
      messages: messages.map((message, index) => aMessage(`m${this.turns * 10 + index}`, message)),
      contexts: {},
      pending: 0,
      lease_seconds: 60,
      hop: 0,
      ...more,
    });
    this.flush();
    return turnId;
  }

  /** The answer to the next grant is lost on its way. */
  loseNextGrant(): void {
    this.lost = true;
  }

  command(kind: HarnessCommand['kind'], more: Partial<HarnessCommand> = {}): string {
    const id = `c${this.commands.length + this.given.size + 1}`;
    this.commands.push({ id, kind, ...more });
    this.flush();
    return id;
  }

  /** Refuses every open and later heartbeat of the turn: it is over. */
  takeBack(turnId: string): void {
    for (const call of this.held.splice(0)) {
      if (call.route === 'heartbeat' && call.turnId === turnId) refuse(call.response, turnIsOver());
      else this.held.push(call);
    }
    this.over.add(turnId);
  }
  private readonly over = new Set<string>();

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    this.tokens.add((request.headers.authorization ?? '').replace('Bearer ', ''));
    const match = /^\/harness\/v1\/(hello|turns)(?:\/(t\d+)\/(heartbeat|events|end))?$/.exec(
      request.url ?? '',
    );
    if (!match) return refuse(response, new HiveError('not_found', `no ${request.url}`));
    const route = (match[3] ?? match[1]) as Route;
    this.answer(route, match[2] ?? '', body, response);
  }

  private answer(route: Route, turnId: string, body: unknown, response: ServerResponse): void {
    this.record(route, turnId, body);
    const refusal = this.refusals[route]?.shift();
    if (refusal) return refuse(response, refusal);
    switch (route) {
      case 'hello': {
        const { ends } = body as HelloRequest;
        const answers = ends.map((stored) => ({ turn_id: stored.turn_id, answer: accepted() }));
        return reply(response, { agent: 'bob', role: 'agent', returned: 0, ends: answers });
      }
      case 'events':
        return reply(response, { stored: (body as { events: unknown[] }).events.length });
      case 'end':
        this.onEnd(turnId, body as EndRequest);
        return reply(response, accepted());
      case 'heartbeat':
        if (this.over.has(turnId)) return refuse(response, turnIsOver());
        break;
      case 'turns':
    }
    this.commands = this.commands.filter(
      (command) => !(body as { confirm: string[] }).confirm.includes(command.id),
    );
    const call: Held = { route, turnId, response };
    this.held.push(call);
    response.on('close', () => {
      this.held = this.held.filter((other) => other !== call);
    });
    this.flush();
  }

  private record(route: Route, turnId: string, body: unknown): void {
    if (route === 'hello') this.hellos.push(body as HelloRequest);
    if (route === 'turns') this.polls.push(body as PollRequest);
    if (route === 'heartbeat') {
      this.heartbeats.push({ turn_id: turnId, ...(body as HeartbeatRequest) });
    }
    if (route === 'end') this.ends.push({ turn_id: turnId, end: body as EndRequest });
    if (route === 'events') {
      const { events } = body as { events: TurnEvent[] };
      for (const event of events) this.events.push(Object.assign({ turn_id: turnId }, event));
    }
  }

  /** Answers what can be answered: polls with a grant or a new command, heartbeats with a new command. */
  private flush(): void {
    for (const call of this.held.slice()) {
      const fresh = this.commands.filter((command) => !this.given.has(command.id));
      const turn = call.route === 'turns' ? this.grants[0] : undefined;
      if (turn && this.lost) {
        this.lost = false;
        this.grants[0] = { ...turn, again: true };
        call.response.destroy();
        continue;
      }
      if (!turn && fresh.length === 0) continue;
      if (turn) this.grants.shift();
      for (const command of fresh) this.given.add(command.id);
      this.held = this.held.filter((other) => other !== call);
      const commands = this.commands;
      const lease_until = new Date(Date.now() + 60_000).toISOString();
      if (call.route === 'turns') reply(call.response, { turn: turn ?? null, commands });
      else reply(call.response, { lease_until, commands });
    }
  }
}

/** A message as `bob` gets it. */
export function aMessage(id: string, message: Partial<Message> & { body: string }): Message {
  return {
    id,
    thread_id: id,
    from: 'alice',
    from_kind: 'agent',
    to: 'bob',
    sent_at: '2026-11-22T10:00:00.000Z',
    age_seconds: 3,
    priority: 'normal',
    broadcast: false,
    redelivered: false,
    attempt: 1,
    hop: 1,
    kind: 'message',
    ...message,
  };
}

function accepted(): EndAnswer {
  return { outcome: 'accepted', acked: [], returned: [] };
}
function turnIsOver(): HiveError {
  return new HiveError('superseded', 'the turn is over');
}
function reply(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
function refuse(response: ServerResponse, error: HiveError): void {
  response
    .writeHead(error.status, { 'content-type': 'application/json' })
    .end(JSON.stringify(error.toBody()));
}
