import { spawn, type ChildProcess } from 'node:child_process';

import type { Clock, ServiceMessage } from '#libs/service';

import { BackOff } from './back-off.js';
import { commandOf, type Launch } from './launch.js';

/** A service of the hive: what is run, and how one knows that it works. */
export interface ServicePlan {
  name: string;
  launch: Launch;
  env: Record<string, string>;
  /** Settles when the service works. Without it the service says so itself, over the IPC channel (runService). */
  untilReady?: (signal: AbortSignal) => Promise<void>;
}

export type ServiceState = 'stopped' | 'starting' | 'running' | 'restarting' | 'stopping';

export interface ServiceEvents {
  /** A process was started for it, which does not work yet. */
  onSpawn(service: ServiceProcess, pid: number): void;
  /** The state, the process or the number of restarts changed. */
  onChange(service: ServiceProcess): void;
  /** It ended although nobody asked for it, and is started again after the pause. */
  onDeath(service: ServiceProcess, how: string, pauseMs: number): void;
  /** What the service writes. */
  onOutput(service: ServiceProcess, stream: 'stdout' | 'stderr', chunk: Buffer): void;
}

/** How long a service may take until it works, in milliseconds. */
const READY_MS = 60_000;
/** How long a service may take to end after SIGTERM, in milliseconds; its own bound is 10 s, c0re's is 20 s. */
const STOP_MS = 22_000;

/** How long the last output of a process that ended is waited for, in milliseconds. */
const LAST_WORDS_MS = 300;

/** Thrown by `start` when the service did not come up; the message says why, in the service's own words if it gave any. */
export class ServiceFailedError extends Error {
  override readonly name = 'ServiceFailedError';
  constructor(
    readonly service: string,
    reason: string,
  ) {
    super(reason);
  }
}

/** One supervised process: started, watched, started again when it dies, and ended. */
export class ServiceProcess {
  state: ServiceState = 'stopped';
  pid: number | undefined;
  startedAt: number | undefined;
  restarts = 0;

  private child: ChildProcess | undefined;
  private exited: Promise<void> = Promise.resolve();
  private readonly backOff = new BackOff();
  private takeBackRestart: (() => void) | undefined;
  /** A restart whose process was started already. */
  private attempting: Promise<void> | undefined;

  constructor(
    readonly plan: ServicePlan,
    private readonly clock: Clock,
    private readonly setpriv: string | undefined,
    private readonly events: ServiceEvents,
  ) {}

  get name(): string {
    return this.plan.name;
  }

  /** Starts it and waits until it works. @throws ServiceFailedError, and then it does not run. */
  async start(): Promise<void> {
    // A second process beside that of a restart under way would only meet its lock.
    if (this.attempting) await this.attempting;
    this.takeBackRestart?.();
    if (this.state === 'running') return;
    this.setState('starting');
    const child = this.spawn();
    try {
      await this.untilReady(child);
    } catch (error) {
      await this.kill(child);
      this.setState('stopped');
      throw error;
    }
    if (this.isStopping) return;
    this.pid = child.pid;
    this.startedAt = this.clock.now();
    this.setState('running');
    this.watch(child, this.clock.monotonic());
  }

  /** Ends it: SIGTERM, and SIGKILL when that is not heeded in time. It is not started again. */
  async stop(): Promise<void> {
    this.takeBackRestart?.();
    if (this.state === 'stopped') return;
    this.setState('stopping');
    const { child } = this;
    if (child) {
      child.kill('SIGTERM');
      const takeBack = this.clock.after(STOP_MS, () => child.kill('SIGKILL'));
      await this.exited;
      takeBack();
    }
    this.setState('stopped');
  }

  /** SIGKILL, at once. */
  forceStop(): void {
    this.takeBackRestart?.();
    this.state = 'stopping';
    this.child?.kill('SIGKILL');
  }

  /** Settles when no process of the service is left. */
  get whenGone(): Promise<void> {
    return this.exited;
  }

  private get isStopping(): boolean {
    return this.state === 'stopping' || this.state === 'stopped';
  }

  private spawn(): ChildProcess {
    const [program, args] = commandOf(this.plan.launch, this.setpriv);
    const child = spawn(program, args, {
      cwd: '/',
      env: this.plan.env,
      // A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which stops all in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', ...(this.plan.untilReady ? [] : ['ipc' as const])],
    });
    this.child = child;
    if (child.pid !== undefined) this.events.onSpawn(this, child.pid);
    child.stdout?.on('data', (chunk: Buffer) => this.events.onOutput(this, 'stdout', chunk));
    child.stderr?.on('data', (chunk: Buffer) => this.events.onOutput(this, 'stderr', chunk));
    child.on('error', () => {});
    this.exited = untilGone(child, this.clock).finally(() => {
      if (this.child === child) this.child = undefined;
    });
    return child;
  }

  private async untilReady(child: ChildProcess): Promise<void> {
    const outcome = Promise.withResolvers<void>();
    const fail = (reason: string) => outcome.reject(new ServiceFailedError(this.name, reason));
    const abort = new AbortController();
    const onMessage = (message: ServiceMessage) => {
      if (message.type === 'ready') outcome.resolve();
      else fail(message.message);
    };
    const onExit = (code: number | null, signal: string | null) =>
      fail(`it ended while it started (${howItEnded(code, signal)})`);
    const onError = (error: Error) => fail(`it cannot be run: ${error.message}`);
    child.on('message', onMessage);
    child.once('exit', onExit);
    child.once('error', onError);
    const takeBack = this.clock.after(READY_MS, () =>
      fail(`it was not ready within ${READY_MS / 1000} s`),
    );
    this.plan.untilReady?.(abort.signal).then(outcome.resolve, outcome.reject);
    try {
      await outcome.promise;
    } finally {
      takeBack();
      abort.abort();
      child.off('message', onMessage);
      child.off('exit', onExit);
      child.off('error', onError);
    }
  }

  private watch(child: ChildProcess, since: number): void {
    const onGone = (how: string) => {
      if (this.isStopping) return;
      this.startAgain(how, this.clock.monotonic() - since);
    };
    if (child.exitCode !== null || child.signalCode !== null) {
      onGone(howItEnded(child.exitCode, child.signalCode));
    } else {
      child.once('exit', (code, signal) => onGone(howItEnded(code, signal)));
    }
  }

  private startAgain(how: string, ranMs: number): void {
    const pauseMs = this.backOff.pause(ranMs);
    this.restarts += 1;
    this.setState('restarting');
    this.events.onDeath(this, how, pauseMs);
    this.takeBackRestart = this.clock.after(pauseMs, () => {
      this.attempting = this.attempt().finally(() => {
        this.attempting = undefined;
      });
    });
  }

  private async attempt(): Promise<void> {
    const child = this.spawn();
    const began = this.clock.monotonic();
    try {
      await this.untilReady(child);
    } catch (error) {
      await this.kill(child);
      if (!this.isStopping) this.startAgain((error as Error).message, 0);
      return;
    }
    if (this.isStopping) return;
    this.pid = child.pid;
    this.startedAt = this.clock.now();
    this.setState('running');
    this.watch(child, began);
  }

  private async kill(child: ChildProcess): Promise<void> {
    child.kill('SIGKILL');
    await this.exited;
  }

  private setState(state: ServiceState): void {
    this.state = state;
    this.events.onChange(this);
  }
}

/** Settles when the process has ended and, as far as nobody else holds its output open, that was read to the end. */
function untilGone(child: ChildProcess, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    child.once('close', () => resolve());
    child.once('exit', () => void clock.after(LAST_WORDS_MS, resolve));
    child.once('error', () => (child.pid === undefined ? resolve() : undefined));
  });
}

/** How a process ended, in words. */
export function howItEnded(code: number | null, signal: string | null): string {
  return signal === null ? `exit code ${code}` : `killed by ${signal}`;
}
