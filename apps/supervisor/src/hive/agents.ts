import { HttpSocketClient } from '#libs/ipc';
import type { C0reAnswers, C0reHealth } from '#libs/protocol';

/** How long all agents together may take to end; c0re gives each about 15 s and ends them side by side. */
const STOP_ALL_MS = 60_000;

/** What the supervisor asks of c0re, over its admin socket. */
export class C0reAdmin {
  private readonly client: HttpSocketClient;

  constructor(socket: string) {
    this.client = new HttpSocketClient(socket);
  }

  health(): Promise<C0reHealth> {
    return this.client.call<C0reAnswers['health']>({ method: 'GET', path: '/v1/health' });
  }

  /** A one-time login token of the dashboard. */
  async loginToken(): Promise<string> {
    const link = await this.client.call<C0reAnswers['login_link']>({
      method: 'POST',
      path: '/v1/login-links',
      body: {},
    });
    return link.token;
  }

  /** Ends every harness, keeping what should run at the next start; answers when all their processes are gone. */
  async stopAgents(): Promise<number> {
    const { stopped } = await this.client.call<C0reAnswers['stopped']>({
      method: 'POST',
      path: '/v1/agents/stop-all',
      body: {},
      timeoutMs: STOP_ALL_MS,
    });
    return stopped;
  }

  close(): void {
    this.client.close();
  }
}
