import { HttpSocketClient, socketPath } from '#libs/ipc';
import {
  HiveError,
  type AgentRecord,
  type C0reAnswers,
  type DashboardAnswers,
  type NewMessage,
  type OperationRow,
  type OperatorSession,
  type SendResult,
} from '#libs/protocol';

/** An operation is waited for this long, in milliseconds. */
const OPERATION_MS = 60_000;

/**
 * The operator's hands while the hive starts: agents are made at c0re's admin socket, words are said at the dashboard
 * with a session that the admin socket opened and that ends with this program.
 */
export class Operator {
  private readonly c0re: HttpSocketClient;
  private session: OperatorSession | undefined;

  constructor(
    runtimeDir: string,
    private readonly dashboardUrl: string,
  ) {
    this.c0re = new HttpSocketClient(socketPath(runtimeDir, 'c0re', 'admin'));
  }

  async agents(): Promise<AgentRecord[]> {
    const { agents } = await this.c0re.call<C0reAnswers['agents']>({
      method: 'GET',
      path: '/v1/agents',
    });
    return agents;
  }

  /** Makes an agent and waits until it runs. */
  async spawn(name: string, config: object): Promise<OperationRow> {
    const { operation } = await this.c0re.call<C0reAnswers['operation']>({
      method: 'POST',
      path: '/v1/agents?wait=1',
      body: { name, config, reason: 'an agent of the demo' },
      timeoutMs: OPERATION_MS,
    });
    return operation;
  }

  send(message: NewMessage): Promise<SendResult> {
    return this.ask('POST', '/api/messages', message);
  }

  /** The newest messages of an agent. */
  messagesOf(agent: string): Promise<DashboardAnswers['messages']> {
    return this.ask('GET', `/api/messages?agent=${agent}&limit=100`);
  }

  async close(): Promise<void> {
    if (this.session) await this.ask('POST', '/api/logout').catch(() => undefined);
    this.c0re.close();
  }

  private async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { cookie, page_secret } = (this.session ??= await this.login());
    const { port, origin } = new URL(this.dashboardUrl);
    const response = await fetch(new URL(path, this.dashboardUrl), {
      method,
      headers: {
        cookie: `hive_session_${port || '80'}=${cookie}`,
        'x-hive-session': page_secret,
        origin,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer = text === '' ? {} : (JSON.parse(text) as { error?: object });
    if (!response.ok) throw HiveError.from(answer.error ?? {});
    return answer as T;
  }

  private async login(): Promise<OperatorSession> {
    const { token } = await this.c0re.call<C0reAnswers['login_link']>({
      method: 'POST',
      path: '/v1/login-links',
    });
    return this.c0re.call<OperatorSession>({ method: 'POST', path: '/v1/login', body: { token } });
  }
}
