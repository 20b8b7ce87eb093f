import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';

import { pino } from 'pino';

import { socketPath } from '#libs/ipc';
import { systemClock } from '#libs/service';

import { startDashboard, type DashboardServer } from '../dashboard.server.js';
import { DashboardEnv } from '../settings/dashboard.env.js';
import { ScriptedBroker } from './scripted-broker.js';
import { ScriptedC0re } from './scripted-c0re.js';

/** A Redis URL behind which there is none: for tests that need no events. */
const NO_REDIS = 'unix:///nonexistent/redis.sock';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  json: () => unknown;
}
export interface Call {
  body?: unknown;
  /** Sent as it is, instead of `body`. */
  raw?: string;
  headers?: Record<string, string>;
}

/** A dashboard in this process between scripted peers, on a free port. */
export class DashboardFixture {
  readonly c0re: ScriptedC0re;
  readonly broker: ScriptedBroker;
  /** Everything that the dashboard logged, as text. */
  logged = '';
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'hive-dash-'));
  private server: DashboardServer | undefined;

  private constructor(private readonly redisUrl: string) {
    for (const peer of ['c0re', 'broker']) mkdirSync(path.join(this.folder, `${peer}-dashboard`));
    this.c0re = new ScriptedC0re(socketPath(this.folder, 'c0re', 'dashboard'));
    this.broker = new ScriptedBroker(socketPath(this.folder, 'broker', 'dashboard'));
    mkdirSync(path.join(this.folder, 'web', 'assets'), { recursive: true });
    writeFileSync(
      path.join(this.folder, 'web', 'index.html'),
      '<!doctype html><title>page</title>',
    );
    writeFileSync(path.join(this.folder, 'web', 'assets', 'page-1a2b.js'), 'export {};');
    writeFileSync(path.join(this.folder, 'web', 'theme.js'), '// theme');
    writeFileSync(path.join(this.folder, 'secret.txt'), 'not of the page');
  }

  static async start(redisUrl = NO_REDIS): Promise<DashboardFixture> {
    const fixture = new DashboardFixture(redisUrl);
    await fixture.c0re.start();
    await fixture.broker.start();
    await fixture.open();
    return fixture;
  }

  get port(): number {
    if (!this.server) throw new Error('the dashboard is not open');
    return this.server.port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get bearer(): Record<string, string> {
    return { authorization: `Bearer ${this.c0re.operatorToken}` };
  }

  /** Starts the dashboard itself; also again after `close`. */
  async open(): Promise<void> {
    const env = Object.assign(new DashboardEnv(), {
      HIVE_RUNTIME_DIR: this.folder,
      HIVE_REDIS_URL: this.redisUrl,
      HIVE_DASHBOARD_PORT: 0,
      HIVE_WEB_DIR: path.join(this.folder, 'web'),
      HIVE_REV: 'test',
    });
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.logged += chunk.toString();
        done();
      },
    });
    const logger = pino({ level: 'trace' }, sink);
    this.server = await startDashboard({ env, logger, clock: systemClock });
  }

  async close(): Promise<void> {
    await this.server?.stop();
    this.server = undefined;
  }

  async stop(): Promise<void> {
    await this.close();
    await this.broker.stop();
    await this.c0re.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A request as it is: no cookie jar, and Host and Origin may be anything. */
  call(method: string, url: string, { body, raw, headers = {} }: Call = {}): Promise<Answer> {
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const length =
      payload === undefined ? {} : { 'content-length': String(Buffer.byteLength(payload)) };
    const type = payload === undefined ? {} : { 'content-type': 'application/json' };
    return new Promise((resolve, reject) => {
      const outgoing = request(
        { host: '127.0.0.1', port: this.port, method, path: url, agent: false },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            resolve({
              status: answer.statusCode ?? 0,
              headers: answer.headers,
              text,
              json: () => JSON.parse(text) as unknown,
            });
          });
        },
      );
      outgoing.on('error', reject);
      for (const [name, value] of Object.entries({ ...type, ...length, ...headers })) {
        outgoing.setHeader(name, value);
      }
      outgoing.end(payload);
    });
  }

  /** The same with the operator's token. */
  asOperator(method: string, url: string, call: Call = {}): Promise<Answer> {
    return this.call(method, url, { ...call, headers: { ...this.bearer, ...call.headers } });
  }

  /** Address of the event channel. */
  events(query: Record<string, string>): string {
    return `ws://127.0.0.1:${this.port}/events?${new URLSearchParams(query).toString()}`;
  }

  /** Opens a session as a browser does; gives what it then sends along. */
  async login(): Promise<{ cookie: string; 'x-hive-session': string }> {
    const answer = await this.call('GET', `/login?token=${this.c0re.link()}`);
    const cookie = String(answer.headers['set-cookie']).split(';', 1)[0] ?? '';
    const secret = /#session=(.+)$/.exec(answer.headers.location ?? '')?.[1] ?? '';
    return { cookie, 'x-hive-session': decodeURIComponent(secret) };
  }
}
