import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { HiveFile } from '#libs/protocol';

import { freePorts } from '../../support/free-ports.js';
import type { StandInClone } from './stand-in-clone.js';

/** How long a hive of real services may take to start on a busy machine, in milliseconds. */
const READY_MS = 60_000;
const LOOK_EVERY_MS = 25;

export interface RunOptions {
  args?: readonly string[];
  env?: Record<string, string>;
  /** User and group to run as; that of the test otherwise. */
  uid?: number;
  /** Words before the command, such as `setpriv --bounding-set=-sys_admin --`. */
  wrapper?: readonly string[];
}

/** One `npm start` of a clone, from the supervisor on: the process, what it printed, and how it ended. */
export class SupervisorRun {
  output = '';
  private readonly exit = Promise.withResolvers<number | string | null>();

  private constructor(
    readonly home: string,
    readonly child: ChildProcess,
    readonly ports: { dashboard: number; gateway: number },
  ) {
    const keep = (chunk: Buffer): void => {
      this.output += chunk.toString();
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.once('close', (code, signal) => this.exit.resolve(signal ?? code));
  }

  static async begin(clone: StandInClone, options: RunOptions = {}): Promise<SupervisorRun> {
    const [dashboard = 0, gateway = 0] = await freePorts(2);
    const main = path.join(clone.path, 'dist/apps/supervisor/src/main.js');
    const plain = [process.execPath, '--enable-source-maps', main, ...(options.args ?? [])];
    const { uid, wrapper = [] } = options;
    const command = uid === undefined ? [...wrapper, ...plain] : clone.asUser(uid, plain);
    const child = spawn(command[0] ?? '', command.slice(1), {
      cwd: clone.path,
      env: {
        PATH: process.env['PATH'],
        HIVE_DASHBOARD_PORT: String(dashboard),
        HIVE_GATEWAY_PORT: String(gateway),
        HIVE_PARENT_FD: '0',
        ...options.env,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const home = path.resolve(clone.path, options.env?.['HIVE_HOME'] ?? '.hive');
    return new SupervisorRun(home, child, { dashboard, gateway });
  }

  /** Starts it and waits until it is ready. */
  static async ready(clone: StandInClone, options: RunOptions = {}): Promise<SupervisorRun> {
    const run = await SupervisorRun.begin(clone, options);
    await run.untilReady();
    return run;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Settles with the exit code, or the signal that killed it. */
  get ended(): Promise<number | string | null> {
    return this.exit.promise;
  }

  async untilReady(): Promise<void> {
    const deadline = Date.now() + READY_MS;
    const isReady = (): boolean => this.hiveFile() !== undefined && this.output.includes('Ctrl-C');
    while (!isReady()) {
      const { exitCode, signalCode } = this.child;
      const hasEnded = exitCode !== null || signalCode !== null;
      if (hasEnded || Date.now() > deadline) {
        throw new Error(`the hive is not ready (${signalCode ?? exitCode}):\n${this.output}`);
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** `run/hive.json` as it is now; undefined when it is not there. */
  hiveFile(): HiveFile | undefined {
    const file = path.join(this.home, 'run', 'hive.json');
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as HiveFile) : undefined;
  }

  service(name: string): HiveFile['services'][number] {
    const found = this.hiveFile()?.services.find((service) => service.name === name);
    if (!found) throw new Error(`there is no service ${name} in hive.json`);
    return found;
  }

  /** Process ids of all services. */
  pids(): number[] {
    return this.hiveFile()?.services.map((service) => service.pid) ?? [];
  }

  /** What a service wrote into its log. */
  log(service: string): string {
    return readFileSync(path.join(this.home, 'logs', `${service}.log`), 'utf8');
  }

  /** Ctrl-C, and how it ended. */
  stop(): Promise<number | string | null> {
    this.child.kill('SIGINT');
    return this.ended;
  }
}

/** Whether the process runs; one that ended and waits for its parent (on some machines for long) does not. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

/** Live processes whose command line, environment or open program lies in `folder`. */
export function processesOf(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isAlive(Number(name)))
    .flatMap((pid) => {
      const read = (what: string): string => {
        try {
          return readFileSync(`/proc/${pid}/${what}`, 'latin1');
        } catch {
          return '';
        }
      };
      const command = read('cmdline').replaceAll('\0', ' ');
      return command.includes(folder) || read('environ').includes(folder) ? [command] : [];
    });
}
