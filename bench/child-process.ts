import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** How long a service may take to start, and to stop before it is killed, in milliseconds. */
const START_MS = 20_000;
const STOP_MS = 10_000;

/** Folder of the repository: this file runs as dist/bench/child-process.js. */
export const ROOT = path.resolve(import.meta.dirname, '../..');

const running = new Set<ChildProcess>();

/** However the benchmark ends, nothing that it started stays. */
process.once('exit', () => {
  for (const child of running) child.kill('SIGTERM');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => process.exit(signal === 'SIGINT' ? 130 : 143));

export interface StartOptions {
  name: string;
  /** The program with its arguments. */
  argv: readonly string[];
  env: Record<string, string>;
  /** File that takes its output. */
  log: string;
  /** Settles when it is ready; default: its `ready` message. */
  ready?: () => Promise<void>;
  stopSignal?: NodeJS.Signals;
}

/** A process that the benchmark started and ends. */
export class BenchProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly options: StartOptions,
  ) {}

  /** Starts the program and waits until it is ready; throws with the end of its output when it is not. */
  static async start(options: StartOptions): Promise<BenchProcess> {
    const [command = '', ...args] = options.argv;
    const log = openSync(options.log, 'a');
    const child = spawn(command, args, {
      env: { ...inherited(), ...options.env },
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    running.add(child);
    child.once('exit', () => running.delete(child));
    const started = new BenchProcess(child, options);
    try {
      await started.whenReady();
    } catch (error) {
      await started.stop();
      throw error;
    }
    return started;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Asks it to stop, and kills it when it does not. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill(this.options.stopSignal ?? 'SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    await gone;
    clearTimeout(timer);
  }

  private async whenReady(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (why: string) => reject(new Error(`${this.options.name} ${why}:\n${this.tail()}`));
    const timer = setTimeout(() => fail(`was not ready within ${START_MS} ms`), START_MS);
    this.child.once('error', (error) => fail(`cannot be started (${error.message})`));
    this.child.once('exit', () => fail('ended while starting'));
    if (this.options.ready) this.options.ready().then(resolve, reject);
    else
      this.child.on('message', (message: { type?: string }) => {
        if (message.type === 'ready') resolve();
      });
    try {
      await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  private tail(): string {
    return readFileSync(this.options.log, 'utf8').slice(-2000);
  }
}

/** The environment without what belongs to the hive that may run beside. */
function inherited(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('HIVE_'),
    ),
  );
}
