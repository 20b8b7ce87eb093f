import { execFile, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { AGENT_MARK_VARIABLE, HiveError } from '#libs/protocol';
import type { Clock } from '#libs/service';

import type {
  ContainerDriver,
  ContainerExit,
  ContainerOwner,
  ContainerProgram,
  RunningContainer,
  StopBounds,
} from '../container-driver.js';
import {
  bootId,
  environmentOf,
  isLiving,
  ProcessScanner,
  readProcess,
  type ProcessEntry,
  type ProcessScan,
} from './process-table.js';

/** Pause between two looks at processes that should end, in milliseconds. */
const LOOK_MS = 25;
/** Longer than the kernel takes to put a new program's environment in place, in milliseconds. */
const EXEC_MS = 5;
/** Without these a process could become more than its user, by a set-uid program for example. */
const NO_PRIVILEGES = [
  '--clear-groups',
  '--inh-caps=-all',
  '--ambient-caps=-all',
  '--bounding-set=-all',
  '--no-new-privs',
];
const run = promisify(execFile);

export interface ProcessDriverOptions {
  hiveId: string;
  clock: Clock;
  /** How often an adopted process is looked at, in milliseconds: only a parent is told of an exit. */
  adoptedPollMs: number;
  /** Whether agents run as users of their own, which needs root. */
  separateUsers: boolean;
}

interface ProcessHandle {
  pid: number;
  startTicks: number;
  boot: string;
}

/**
 * Runs an agent's processes as children of the host, without a mount namespace: for development (PRODUCT 4.2).
 * They form a session of their own, go on without c0re, and carry a mark in their environment. What belongs to an agent
 * is found by session, mark, descent and, where agents have users of their own, user id, which no child can shed. Hives
 * may own the same ids: what bears another hive's mark is spared.
 */
export class ProcessDriver implements ContainerDriver {
  readonly name = 'process';
  private readonly boot = bootId();
  private readonly scanner = new ProcessScanner(AGENT_MARK_VARIABLE);
  private setpriv = 'setpriv';

  constructor(private readonly options: ProcessDriverOptions) {}

  async check(): Promise<void> {
    if (!this.options.separateUsers) return;
    const found = (process.env['PATH'] ?? '')
      .split(':')
      .map((folder) => path.join(folder, 'setpriv'))
      .find((file) => isExecutable(file));
    if (!found) {
      throw new HiveError(
        'driver_unavailable',
        'started as root, the process driver needs `setpriv` to give agents users of their own: install util-linux',
      );
    }
    this.setpriv = found;
    await run(found, [...NO_PRIVILEGES, 'true'], { timeout: 10_000 }).catch((error: Error) => {
      throw new HiveError(
        'driver_unavailable',
        `started as root, but privileges cannot be dropped here: ${error.message.trim()}`,
      );
    });
  }

  protectionsOff(): string[] {
    const off = [
      "the process driver has no mount namespace: agents see the host's files, as far as their user may",
      'the process driver does not enforce limits of memory, cpu and pids',
      'the process driver does not limit the network',
    ];
    if (!this.options.separateUsers) {
      off.unshift(
        "agents run as the hive's own user: they can read each other's tokens and the databases",
        'a process that an agent detaches and that clears its environment can outlive a stop',
      );
    } else {
      off.push("a process that an agent detaches and gives another hive's mark can outlive a stop");
    }
    return off;
  }

  async create(): Promise<void> {}

  async start(owner: ContainerOwner, program: ContainerProgram): Promise<RunningContainer> {
    const log = openSync(
      program.logFile,
      constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW,
      0o640,
    );
    try {
      const [file, ...args] =
        owner.user === undefined ? program.argv : this.asUser(owner.user, program.argv);
      const child = spawn(file, args, {
        cwd: program.cwd,
        env: { ...program.env, [AGENT_MARK_VARIABLE]: this.mark(owner) },
        stdio: ['ignore', log, log],
        detached: true,
      });
      const exited = new Promise<ContainerExit>((resolve) => {
        child.once('exit', (code, signal) => resolve({ code, signal }));
      });
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', reject);
      });
      child.unref();
      const pid = child.pid as number;
      // A child that is gone already is at least a zombie: its parent, this process, has not been told yet.
      const startTicks = readProcess(pid)?.startTicks ?? 0;
      return { handle: { pid, startTicks, boot: this.boot } satisfies ProcessHandle, pid, exited };
    } finally {
      closeSync(log);
    }
  }

  adopt(owner: ContainerOwner, handle: unknown): RunningContainer | undefined {
    const { pid, startTicks, boot } = (handle ?? {}) as Partial<ProcessHandle>;
    if (pid === undefined || startTicks === undefined || boot !== this.boot) return undefined;
    const isSame = () => {
      const entry = readProcess(pid);
      return entry !== undefined && isLiving(entry) && entry.startTicks === startTicks;
    };
    if (!isSame() || environmentOf(pid, AGENT_MARK_VARIABLE) !== this.mark(owner)) return undefined;
    const exited = new Promise<ContainerExit>((resolve) => {
      const look = () => {
        if (isSame()) this.options.clock.after(this.options.adoptedPollMs, look);
        else resolve({ code: null, signal: null });
      };
      look();
    });
    return { handle, pid, exited };
  }

  async inspect(owner: ContainerOwner, running?: RunningContainer): Promise<number[]> {
    return this.members(owner, running);
  }

  async stop(
    owner: ContainerOwner,
    running: RunningContainer | undefined,
    bounds: StopBounds,
  ): Promise<void> {
    if (running && this.isAlive(running)) {
      // The program first, alone: it ends its CLI in order and writes down what it still has to report.
      send(running.pid, 'SIGTERM');
      await this.until(bounds.termMs, () => !this.isAlive(running));
    }
    let left = await this.members(owner, running);
    if (left.length > 0) {
      for (const pid of left) send(pid, 'SIGTERM');
      const patience = running && this.isAlive(running) ? 0 : bounds.leftoversMs;
      await this.until(patience, async () => (await this.members(owner, running)).length === 0);
    }
    left = await this.kill(owner, running, bounds.killMs);
    if (left.length > 0) {
      throw new HiveError(
        'conflict',
        `processes ${left.join(', ')} of ${owner.name} are still there ${bounds.killMs} ms after SIGKILL; look at them, then stop the agent again`,
      );
    }
  }

  async destroy(): Promise<void> {}

  async strays(): Promise<number[]> {
    const prefix = `${this.options.hiveId}:`;
    const scan = await this.scanner.scan();
    const ids = scan.living
      .map(({ pid }) => scan.mark(pid))
      .filter((mark) => mark?.startsWith(prefix) === true)
      .map((mark) => Number(mark?.slice(prefix.length)))
      .filter((id) => Number.isSafeInteger(id));
    return [...new Set(ids)];
  }

  /**
   * Looks and sends SIGKILL until nothing was found in two looks running, at most `ms`. Never `kill -1` as the user:
   * that one may have processes of another hive's agent too. Answers what is left.
   */
  private async kill(
    owner: ContainerOwner,
    running: RunningContainer | undefined,
    ms: number,
  ): Promise<number[]> {
    const { clock } = this.options;
    const end = clock.monotonic() + ms;
    const signalled = new Set<number>();
    for (let empty = 0; ;) {
      const left = await this.members(owner, running);
      empty = left.length === 0 ? empty + 1 : 0;
      if (empty === 2) return [];
      for (const pid of left) send(pid, 'SIGKILL');
      if (left.length > 0 && clock.monotonic() >= end) return left;
      // What is still forking is looked at again at once; what only has to die is given time.
      if (left.length > 0 && left.every((pid) => signalled.has(pid))) await this.pause(LOOK_MS);
      for (const pid of left) signalled.add(pid);
    }
  }

  /** The command line that runs `argv` as that user without any privilege. */
  private asUser(user: number, argv: readonly string[]): [string, ...string[]] {
    const ids = ['--reuid', String(user), '--regid', String(user)];
    return [this.setpriv, ...ids, ...NO_PRIVILEGES, '--', ...argv];
  }

  /** Value of the mark variable: which hive, which agent. */
  private mark({ agentId }: ContainerOwner): string {
    return `${this.options.hiveId}:${agentId}`;
  }

  private isAlive(running: RunningContainer): boolean {
    const { pid, startTicks } = running.handle as ProcessHandle;
    const entry = readProcess(pid);
    return entry !== undefined && isLiving(entry) && entry.startTicks === startTicks;
  }

  /** Process ids of everything that lives and is the agent's, seen after this was called. */
  private async members(owner: ContainerOwner, running?: RunningContainer): Promise<number[]> {
    const scan = await this.scanner.scan();
    const mark = this.mark(owner);
    const leader = running?.handle as ProcessHandle | undefined;
    // The id of a session is not given again while it has members, unless another process has that very id now.
    const reused = scan.living.some(
      ({ pid, startTicks }) => pid === leader?.pid && startTicks !== leader.startTicks,
    );
    const byUser = owner.user === undefined ? undefined : await this.ofUser(owner.user, scan);
    const isMember = ({ pid, session }: ProcessEntry) =>
      (leader !== undefined && !reused && session === leader.pid) ||
      byUser?.has(pid) === true ||
      scan.mark(pid) === mark;
    const members = new Set(scan.living.filter(isMember).map(({ pid }) => pid));
    for (let before = -1; before !== members.size;) {
      before = members.size;
      for (const { pid, parent } of scan.living) if (members.has(parent)) members.add(pid);
    }
    members.delete(process.pid);
    return [...members];
  }

  /**
   * What runs as that user and is not another hive's: hives may own the same block of ids. One that cleared its
   * environment is ours, by its user alone.
   */
  private async ofUser(user: number, scan: ProcessScan): Promise<Set<number>> {
    const text = String(user);
    const all = scan.living.filter(({ pid }) => scan.users(pid).includes(text));
    const ours = all.filter(({ pid }) => !this.isForeign(scan.mark(pid)));
    const bare = ours.filter(({ pid }) => scan.mark(pid) === undefined);
    if (bare.length === 0 || ours.length === all.length) return new Set(ours.map(pidOf));
    // A foreign process shows no environment for an instant while it starts a program: look at those twice.
    await this.pause(EXEC_MS);
    const own = new Set(ours.map(pidOf));
    for (const { pid, startTicks } of bare) {
      const isSame = readProcess(pid)?.startTicks === startTicks;
      if (!isSame || this.isForeign(environmentOf(pid, AGENT_MARK_VARIABLE))) own.delete(pid);
    }
    return own;
  }

  /** Whether this is the mark of an agent of another hive. */
  private isForeign(mark: string | undefined): boolean {
    return (
      mark !== undefined && /^[^:]+:\d+$/.test(mark) && !mark.startsWith(`${this.options.hiveId}:`)
    );
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.options.clock.after(ms, resolve);
    });
  }

  /** Waits until `done` says so or `ms` have passed. */
  private async until(ms: number, done: () => boolean | Promise<boolean>): Promise<void> {
    const { clock } = this.options;
    const end = clock.monotonic() + ms;
    while (!(await done()) && clock.monotonic() < end) {
      await this.pause(LOOK_MS);
    }
  }
}

function pidOf({ pid }: ProcessEntry): number {
  return pid;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone between the look and the signal; the next look tells.
  }
}
