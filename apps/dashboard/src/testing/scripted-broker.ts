import { RpcServer, type RpcHandlers } from '#libs/ipc';
import { HiveError, type AgentRow, type BrokerDashboardApi, type MessageRow } from '#libs/protocol';

type Method = keyof BrokerDashboardApi;
type Handler<K extends Method> = (params: BrokerDashboardApi[K][0]) => BrokerDashboardApi[K][1];

const METHODS: Method[] = [
  'snapshot',
  'send',
  'mark_read',
  'messages',
  'agent_inbox',
  'agent_turns',
  'agent_events',
  'agent_stats',
  'command',
  'release',
  'search',
  'questions',
  'answer_question',
  'cancel_question',
  'reminders',
  'retry_reminder',
  'cancel_reminder',
  'dead_deliveries',
  'retry_delivery',
  'agent_threads',
  'needs_you',
  'wake',
];

/** The broker's end of the dashboard's socket, answering what a test wants and showing what reached it. */
export class ScriptedBroker {
  readonly calls: { method: Method; params: Record<string, unknown> }[] = [];
  private readonly handlers = new Map<Method, (params: never) => unknown>();
  private server: RpcServer<BrokerDashboardApi> | undefined;

  constructor(private readonly path: string) {
    this.on('snapshot', () => ({
      version: 1,
      agents: [agent('scout')],
      messages: [],
      turns: [],
      questions: [],
      reminders_failed: [],
      needs_you: [],
    }));
    this.on('send', ({ to }) => ({ id: 'm1', thread_id: 'm1', recipients: [to].flat() }));
    this.on('messages', () => ({ messages: [] }));
    this.on('mark_read', ({ id }) => ({ message: message(id, 'hello') }));
  }

  on<K extends Method>(method: K, handler: Handler<K>): void {
    this.handlers.set(method, handler);
  }

  /** Params of the calls of one method so far. */
  of(method: Method): Record<string, unknown>[] {
    return this.calls.filter((call) => call.method === method).map((call) => call.params);
  }

  async start(): Promise<void> {
    const handlers = Object.fromEntries(
      METHODS.map((method) => [method, (params: never) => this.answer(method, params)]),
    ) as unknown as RpcHandlers<BrokerDashboardApi>;
    this.server = new RpcServer({ path: this.path, handlers, onBug: () => undefined });
    await this.server.listen();
  }

  async stop(): Promise<void> {
    await this.server?.close();
    this.server = undefined;
  }

  private answer(method: Method, params: never): unknown {
    this.calls.push({ method, params });
    const handler = this.handlers.get(method);
    if (!handler) throw new HiveError('not_found', `no answer to ${method}`);
    return handler(params);
  }
}

/** A message to the operator. */
export function message(id: string, body: string): MessageRow {
  return {
    version: 1,
    id,
    thread_id: id,
    from: 'scout',
    from_kind: 'agent',
    to: 'operator',
    body,
    sent_at: '2026-01-01T00:00:00.000Z',
    priority: 'normal',
    broadcast: false,
    hop: 0,
    kind: 'message',
    deliveries: [],
  };
}

/** An agent that idles. */
export function agent(name: string): AgentRow {
  return {
    version: 1,
    agent_id: '1',
    name,
    role: 'agent',
    driver: 'command',
    model: null,
    container: 'process',
    state: 'running',
    turn_state: 'idle',
    status_text: '',
    unread: 0,
    reminders: { pending: 0, delivered_24h: 0, failed: 0 },
    context_tokens: null,
    cost_today_usd: 0,
    deployed_sha: null,
    needs_login: false,
    needs_update: false,
    harness_seen_at: null,
    reason: '',
  };
}
