import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';

import { AGENT_MARK_VARIABLE, HiveError } from '#libs/protocol';
import type { Clock } from '#libs/service';

import type {
  ContainerExit,
  ContainerOwner,
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

export interface HostProcessesOptions {
  hiveId: string;
  clock: Clock;
  /** How often an adopted process is looked at, in milliseconds: only a parent is told of an exit. */
  adoptedPollMs: number;
}

/** By which one process is known for ever. */
export interface ProcessHandle {
  pid: number;
  startTicks: number;
  boot: string;
}

/** A command line with all that it is started with. */
export interface Launch {
  argv: readonly [string, ...string[]];
  env: Readonly<Record<string, string>>;
  cwd: string;
  logFile: string;
  /** Takes stderr instead of the log file. */
  errorFile?: string;
  /** Open files that it finds as 3, 4, …; closed here once it is started. */
  files?: readonly number[];
  /** Whether c0re holds the other end of its standard input. */
  hasInput?: boolean;
}

/** A process that was started, with Node's own view of it. */
export interface Launched extends RunningContainer {
  readonly handle: ProcessHandle;
  readonly child: ChildProcess;
}

/** Ids of processes that are known to belong to the agent by other means, such as a cgroup. */
export type KnownMembers = (owner: ContainerOwner) => readonly number[];

/**
 * The processes of agents as the host sees them. What a driver starts forms a session of its own, goes on without c0re,
 * and carries a mark in its environment. What belongs to an agent is found by session, mark, descent, what the driver
 * knows besides and, where agents have users of their own, user id, which no child can shed. Hives may own the same ids:
 * what bears another hive's mark is spared.
 */
export class HostProcesses {
  private readonly boot = bootId();
  private readonly scanner = new ProcessScanner(AGENT_MARK_VARIABLE);

  constructor(
    private readonly options: HostProcessesOptions,
    private readonly known: KnownMembers = () => [],
  ) {}

  /** Starts the program in a session of its own, with the owner's mark. Throws when it cannot be run. */
  async launch(owner: ContainerOwner, launch: Launch): Promise<Launched> {
    const given = [...(launch.files ?? [])];
    try {
      const log = openLog(launch.logFile);
      given.push(log);
      const errors = launch.errorFile === undefined ? log : openLog(launch.errorFile);
      if (errors !== log) given.push(errors);
      const [file, ...args] = launch.argv;
      const child = spawn(file, args, {
        cwd: launch.cwd,
        env: { ...launch.env, [AGENT_MARK_VARIABLE]: this.mark(owner) },
        stdio: [launch.hasInput ? 'pipe' : 'ignore', log, errors, ...(launch.files ?? [])],
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
      return { handle: this.handleOf(pid), pid, exited, child };
    } finally {
      for (const descriptor of given) closeSync(descriptor);
    }
  }

  /** The handle of a process that was just found; one that is gone already gets a handle that fits none. */
  handleOf(pid: number): ProcessHandle {
    return { pid, startTicks: readProcess(pid)?.startTicks ?? 0, boot: this.boot };
  }

  /** The process of that handle when it still runs and carries the owner's mark (P28). */
  adopt(owner: ContainerOwner, handle: unknown): RunningContainer | undefined {
    const found = this.find(handle);
    if (!found || environmentOf(found.pid, AGENT_MARK_VARIABLE) !== this.mark(owner)) {
      return undefined;
    }
    return { handle, pid: found.pid, exited: this.ended(found) };
  }

  /** The process of that handle when it still runs. */
  find(handle: unknown): ProcessHandle | undefined {
    const { pid, startTicks, boot } = (handle ?? {}) as Partial<ProcessHandle>;
    if (pid === undefined || startTicks === undefined || boot !== this.boot) return undefined;
    const found = { pid, startTicks, boot };
    return this.isAlive(found) ? found : undefined;
  }

  /** Settles when the process is gone, by looking at it: how it ended is not seen. */
  ended(handle: ProcessHandle): Promise<ContainerExit> {
    return new Promise<ContainerExit>((resolve) => {
      const look = () => {
        if (this.isAlive(handle)) this.options.clock.after(this.options.adoptedPollMs, look);
        else resolve({ code: null, signal: null });
      };
      look();
    });
  }

  isAlive({ pid, startTicks }: ProcessHandle): boolean {
    const entry = readProcess(pid);
    return entry !== undefined && isLiving(entry) && entry.startTicks === startTicks;
  }

  /**
   * Ends everything of the owner and proves it. `program` is asked first, alone: it ends its CLI in order and writes down
   * what it still has to report. Throws `conflict` when something is left.
   */
  async stop(
    owner: ContainerOwner,
    running: RunningContainer | undefined,
    bounds: StopBounds,
    program: ProcessHandle | undefined = running?.handle as ProcessHandle | undefined,
  ): Promise<void> {
    if (program && this.isAlive(program)) {
      send(program.pid, 'SIGTERM');
      await this.until(bounds.termMs, () => !this.isAlive(program));
    }
    let left = await this.members(owner, running);
    if (left.length > 0) {
      for (const pid of left) send(pid, 'SIGTERM');
      const patience = program && this.isAlive(program) ? 0 : bounds.leftoversMs;
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

  /** Ids of agents of this hive of whom something carries the mark. */
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

  /** Process ids of everything that lives and is the agent's, seen after this was called. */
  async members(owner: ContainerOwner, running?: RunningContainer): Promise<number[]> {
    const scan = await this.scanner.scan();
    const mark = this.mark(owner);
    const leader = running?.handle as ProcessHandle | undefined;
    // The id of a session is not given again while it has members, unless another process has that very id now.
    const reused = scan.living.some(
      ({ pid, startTicks }) => pid === leader?.pid && startTicks !== leader.startTicks,
    );
    const known = new Set(this.known(owner));
    const byUser = owner.user === undefined ? undefined : await this.ofUser(owner.user, scan);
    const isMember = ({ pid, session }: ProcessEntry) =>
      (leader !== undefined && !reused && session === leader.pid) ||
      byUser?.has(pid) === true ||
      known.has(pid) ||
      scan.mark(pid) === mark;
    const members = new Set(scan.living.filter(isMember).map(({ pid }) => pid));
    for (let before = -1; before !== members.size;) {
      before = members.size;
      for (const { pid, parent } of scan.living) if (members.has(parent)) members.add(pid);
    }
    members.delete(process.pid);
    return [...members];
  }

  /** Waits until `done` says so or `ms` have passed; whether it was done. */
  async until(ms: number, done: () => boolean | Promise<boolean>): Promise<boolean> {
    const { clock } = this.options;
    const end = clock.monotonic() + ms;
    for (;;) {
      if (await done()) return true;
      if (clock.monotonic() >= end) return false;
      await this.pause(LOOK_MS);
    }
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

  /** Value of the mark variable: which hive, which agent. */
  private mark({ agentId }: ContainerOwner): string {
    return `${this.options.hiveId}:${agentId}`;
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
}

function openLog(file: string): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  return openSync(file, flags, 0o640);
}

function pidOf({ pid }: ProcessEntry): number {
  return pid;
}

function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone between the look and the signal; the next look tells.
  }
}
