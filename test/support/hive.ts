import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { ErrorBody, HiveFile } from '#libs/protocol';

import { freePorts } from './free-ports.js';

/** The clone: this file runs from its sources under Vitest, and compiled below dist/ in the crash test. */
export const CLONE = findClone(import.meta.dirname);
const SUPERVISOR = path.join(CLONE, 'dist/apps/supervisor/src/main.js');

/** A hive on this machine is ready within seconds; a busy one gets this long, in milliseconds. */
const READY_MS = 60_000;
/** A stop ends agents, then services in their order, in milliseconds. */
const STOP_MS = 60_000;
const POLL_MS = 50;
/** What is kept of the output, in characters: enough to tell why something failed. */
const OUTPUT_KEPT = 20_000;

export interface HiveOptions {
  /** Starts the scripted swarm too. */
  demo?: boolean;
  /** Further settings: `HIVE_LOG_LEVEL` and the like. */
  env?: Record<string, string>;
  /** State folder of an earlier hive; a fresh one otherwise. It is removed at the stop only when it was made here. */
  home?: string;
}

/** An answer of the dashboard's API that was not a success. */
export class ApiRefusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(`${status} ${code}: ${message}`);
  }
}

/** A real hive: the built supervisor with all its services, in a state folder and on ports of its own. */
export class RunningHive {
  private constructor(
    readonly home: string,
    private readonly child: ChildProcess,
    private readonly ownsHome: boolean,
    private readonly ports: { dashboard: number; gateway: number },
  ) {}

  private kept = '';
  private readonly ended = Promise.withResolvers<number | null>();

  /** Starts it and waits until it says that it is ready. */
  static async start(options: HiveOptions = {}): Promise<RunningHive> {
    if (!existsSync(SUPERVISOR)) {
      throw new Error(`${SUPERVISOR} is missing: run \`npm run build\` first`);
    }
    const home = options.home ?? mkdtempSync(path.join(tmpdir(), 'hive-'));
    // Services and agents run as users of their own, and mkdtemp's 0700 would lock them out.
    chmodSync(home, 0o755);
    const [dashboard = 0, gateway = 0] = await freePorts(2);
    const child = spawn(
      process.execPath,
      ['--enable-source-maps', SUPERVISOR, ...(options.demo ? ['--demo'] : [])],
      {
        cwd: CLONE,
        env: {
          ...environmentWithoutHive(),
          // The lightest; the containers have tests of their own, and the demo runs as an operator starts it.
          ...(options.demo ? {} : { HIVE_CONTAINER_DRIVER: 'process' }),
          ...options.env,
          HIVE_HOME: home,
          HIVE_DASHBOARD_PORT: String(dashboard),
          HIVE_GATEWAY_PORT: String(gateway),
          // The hive also ends when this process does, however that happens.
          HIVE_PARENT_FD: '0',
          // Agents of the tests run programs of this clone, which may lie below a folder that only root may enter.
          HIVE_REACHABLE: path.join(CLONE, 'test'),
        },
        stdio: ['pipe', 'pipe', 'pipe'],
      },
    );
    const hive = new RunningHive(home, child, options.home === undefined, { dashboard, gateway });
    hive.follow();
    try {
      await hive.ready();
    } catch (error) {
      await hive.stop().catch(() => undefined);
      throw error;
    }
    return hive;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Whether it still runs. */
  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The end of what it printed. */
  get output(): string {
    return this.kept;
  }

  get dashboardUrl(): string {
    return `http://127.0.0.1:${this.ports.dashboard}`;
  }

  get gatewayUrl(): string {
    return `http://127.0.0.1:${this.ports.gateway}`;
  }

  get operatorToken(): string {
    return readFileSync(path.join(this.home, 'secrets/operator-token'), 'utf8').trim();
  }

  /** `run/hive.json` as it is now; undefined while the hive is not ready. */
  file(): HiveFile | undefined {
    try {
      return JSON.parse(readFileSync(path.join(this.home, 'run/hive.json'), 'utf8')) as HiveFile;
    } catch {
      return undefined;
    }
  }

  /** Process id of a service, from `run/hive.json`. */
  servicePid(name: string): number {
    const service = this.file()?.services.find((each) => each.name === name);
    if (!service) throw new Error(`no service "${name}" in run/hive.json`);
    return service.pid;
  }

  /** Calls the dashboard's API with the operator's token. Throws ApiRefusal. */
  async api<T>(method: 'GET' | 'POST', route: string, body?: unknown): Promise<T> {
    const response = await fetch(new URL(route, this.dashboardUrl), {
      method,
      headers: {
        authorization: `Bearer ${this.operatorToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    if (response.ok) return answer as T;
    const { code, message } = (answer as ErrorBody).error;
    throw new ApiRefusal(response.status, code, message);
  }

  /** A fresh one-time link into the dashboard. */
  async loginLink(): Promise<string> {
    const { url } = await this.api<{ url: string }>('POST', '/api/login-links', {});
    return url;
  }

  /** The end of a service's log: what to look at when a test fails. */
  log(service: string, lines = 40): string {
    try {
      const text = readFileSync(path.join(this.home, 'logs', `${service}.log`), 'utf8');
      return text.split('\n').slice(-lines).join('\n');
    } catch {
      return '';
    }
  }

  /** Ends it as Ctrl-C does, and returns its exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGINT');
    const force = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    const code = await this.ended.promise;
    clearTimeout(force);
    if (this.ownsHome) rmSync(this.home, { recursive: true, force: true });
    return code;
  }

  private follow(): void {
    const keep = (chunk: Buffer): void => {
      this.kept = (this.kept + chunk.toString()).slice(-OUTPUT_KEPT);
    };
    this.child.stdout?.on('data', keep);
    this.child.stderr?.on('data', keep);
    this.child.once('error', (error) => {
      this.kept += String(error);
      this.ended.resolve(null);
    });
    this.child.once('exit', (code) => this.ended.resolve(code));
  }

  private async ready(): Promise<void> {
    const deadline = Date.now() + READY_MS;
    let isOver = false;
    void this.ended.promise.then(() => {
      isOver = true;
      return undefined;
    });
    while (this.file() === undefined) {
      if (isOver) throw new Error(`the hive ended before it was ready:\n${this.kept}`);
      if (Date.now() > deadline) {
        throw new Error(`the hive was not ready within ${READY_MS / 1000} s:\n${this.kept}`);
      }
      await new Promise((resolve) => {
        setTimeout(resolve, POLL_MS);
      });
    }
  }
}

/** Starts a real hive for a system test; end it with `stop()`. */
export function startHive(options: HiveOptions = {}): Promise<RunningHive> {
  return RunningHive.start(options);
}

/** The own environment without the settings of a hive that this shell may have. */
function environmentWithoutHive(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('HIVE_')),
  );
}

function findClone(folder: string): string {
  if (existsSync(path.join(folder, 'package.json'))) return folder;
  return findClone(path.dirname(folder));
}
