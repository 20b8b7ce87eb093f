import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

import { HiveError, type Container } from '#libs/protocol';

import { CgroupTree } from '../cgroups/cgroup-tree.js';
import { LIMITING } from '../cgroups/hierarchies.js';
import type {
  ContainerDriver,
  ContainerOwner,
  ContainerProgram,
  RunningContainer,
  StopBounds,
} from '../container-driver.js';
import {
  HostProcesses,
  type HostProcessesOptions,
  type Launch,
  type Launched,
  type ProcessHandle,
} from '../process/host-processes.js';
import { childOfInit } from './namespace-processes.js';
import { makeSkeleton, type Skeleton } from './skeleton.js';

/** Longest that a container may take until its program runs, in milliseconds: the machine may be busy. */
const START_MS = 20_000;
/** Waits for a line before it becomes the program; without c0re it ends. */
const GATE = 'read -r go && exec "$@" </dev/null 2>&1';
/** What is shown of the log when a container does not start. */
const REASON_CHARS = 500;

export interface EnclosedDriverOptions extends HostProcessesOptions {
  /** Folder of the containers' roots; only root changes it. */
  folder: string;
  /** A user of the hive's block that no agent has, for trials; undefined when agents have no users of their own. */
  trialUser: number | undefined;
}

/** How a container is found again: by what keeps it, and the agent's program in it. */
interface EnclosedHandle extends ProcessHandle {
  driver: Container;
  program: ProcessHandle;
}

/** What a driver is given to build its command line. */
export interface Enclosure {
  owner: ContainerOwner;
  program: ContainerProgram;
  skeleton: Skeleton;
}

/**
 * A driver whose containers have namespaces, a root folder made of the host's /usr and cgroups of their own. What it
 * starts stays in the foreground as the container's keeper: it ends with the agent's program.
 */
export abstract class EnclosedDriver implements ContainerDriver {
  abstract readonly name: Container;
  readonly hasOwnFiles = true;
  protected readonly processes: HostProcesses;
  protected readonly cgroups: CgroupTree | undefined;
  private missingLimits: readonly string[] = LIMITING;

  constructor(protected readonly options: EnclosedDriverOptions) {
    // A user cannot make cgroups of its own unless somebody handed it some.
    this.cgroups = process.getuid?.() === 0 ? new CgroupTree(options.hiveId) : undefined;
    this.processes = new HostProcesses(
      options,
      ({ agentId }) => this.cgroups?.processes(agentId) ?? [],
    );
  }

  /** Why it cannot work on this machine, in words; undefined when nothing speaks against it. */
  protected abstract obstacle(): Promise<string | undefined>;
  /** The keeper's command line and what it is started with. */
  protected abstract launchOf(enclosure: Enclosure): Launch;
  /** Protections besides the limits that it does not give. */
  protected abstract weaknesses(): string[];
  /** Name of the process that is number 1 inside once the program runs; any when undefined. */
  protected readonly initName: string | undefined;
  /** Whether the keeper itself runs in the agent's cgroups. */
  protected readonly entersGroups: boolean = true;
  /** Last touches from outside before the program runs. */
  protected async close(_program: ProcessHandle): Promise<void> {}
  /** Called when everything in the container is gone. */
  protected async cleanUp(_owner: ContainerOwner): Promise<void> {}

  async check(): Promise<void> {
    // Entered by all: the agents' users pass through it on their way to their roots.
    mkdirSync(this.options.folder, { recursive: true, mode: 0o711 });
    const obstacle = await this.obstacle();
    if (obstacle !== undefined) throw new HiveError('driver_unavailable', obstacle);
    this.missingLimits = this.cgroups?.prepare() ?? LIMITING;
    await this.trial();
  }

  protectionsOff(): string[] {
    const off = this.weaknesses();
    if (this.missingLimits.length > 0) {
      off.push(`limits of ${this.missingLimits.join(', ')} cannot be enforced on this machine`);
    }
    return off;
  }

  async create(): Promise<void> {}

  async start(owner: ContainerOwner, program: ContainerProgram): Promise<RunningContainer> {
    const sharesNetwork = program.network === 'full';
    const skeleton = makeSkeleton(this.rootOf(owner), owner, program.mounts, sharesNetwork);
    this.cgroups?.create(owner.agentId, program.limits);
    const launch = this.launchOf({
      owner,
      skeleton,
      program: { ...program, argv: ['/bin/sh', '-c', GATE, 'sh', ...program.argv] },
    });
    const argv =
      this.cgroups && this.entersGroups
        ? this.cgroups.inside(owner.agentId, launch.argv)
        : launch.argv;
    const errorFile = this.keeperLog(owner);
    rmSync(errorFile, { force: true });
    const started = await this.processes.launch(owner, {
      ...launch,
      argv,
      errorFile,
      hasInput: true,
    });
    try {
      const inside = await this.programOf(owner, started);
      await this.close(inside);
      open(started);
      const handle: EnclosedHandle = { ...started.handle, driver: this.name, program: inside };
      return { handle, pid: started.pid, exited: started.exited };
    } catch (error) {
      await this.stop(owner, started, { termMs: 0, leftoversMs: 0, killMs: START_MS });
      throw new HiveError(
        'driver_unavailable',
        `the ${this.name} container did not start: ${lastWords(errorFile) || (error as Error).message}`,
      );
    }
  }

  adopt(owner: ContainerOwner, handle: unknown): RunningContainer | undefined {
    if ((handle as Partial<EnclosedHandle> | null)?.driver !== this.name) return undefined;
    return this.processes.adopt(owner, handle);
  }

  async inspect(owner: ContainerOwner, running?: RunningContainer): Promise<number[]> {
    return this.processes.members(owner, running);
  }

  async stop(
    owner: ContainerOwner,
    running: RunningContainer | undefined,
    bounds: StopBounds,
  ): Promise<void> {
    // The keeper would end everything at once: the program is asked itself.
    const program = (running?.handle as EnclosedHandle | undefined)?.program;
    await this.processes.stop(owner, running, bounds, program);
    this.cgroups?.kill(owner.agentId);
    this.cgroups?.remove(owner.agentId);
    await this.cleanUp(owner);
  }

  async destroy(owner: ContainerOwner): Promise<void> {
    rmSync(path.dirname(this.rootOf(owner)), { recursive: true, force: true });
  }

  async strays(): Promise<number[]> {
    const marked = await this.processes.strays();
    return [...new Set([...marked, ...(this.cgroups?.agents() ?? [])])];
  }

  protected rootOf({ agentId }: ContainerOwner): string {
    return path.join(this.options.folder, String(agentId), 'root');
  }

  /** What the keeper itself says; the agent's words go to its log. */
  private keeperLog({ agentId }: ContainerOwner): string {
    return path.join(this.options.folder, String(agentId), 'keeper.log');
  }

  /** Runs a container that does nothing: only that shows what the machine allows. */
  private async trial(): Promise<void> {
    const owner = { agentId: 0, name: 'trial', user: this.options.trialUser };
    const logFile = path.join(this.options.folder, 'trial.log');
    rmSync(logFile, { force: true });
    const container = await this.start(owner, {
      argv: ['/bin/sh', '-c', 'sleep 0'],
      env: { PATH: '/usr/bin:/bin' },
      cwd: '/',
      logFile,
      mounts: [],
      limits: { memoryBytes: 256 * 1024 * 1024, cpus: 1, pids: 64 },
      network: 'none',
    });
    const { code } = await container.exited;
    const words = lastWords(this.keeperLog(owner)) || lastWords(logFile);
    await this.stop(owner, container, { termMs: 0, leftoversMs: 0, killMs: START_MS });
    await this.destroy(owner);
    if (code !== 0) {
      throw new HiveError(
        'driver_unavailable',
        `a container of ${this.name} ended with exit code ${code}: ${words}`,
      );
    }
    rmSync(logFile, { force: true });
  }

  private async programOf(owner: ContainerOwner, started: Launched): Promise<ProcessHandle> {
    let found: number | undefined;
    let hasEnded = false;
    void started.exited.then(() => {
      hasEnded = true;
      return undefined;
    });
    await this.processes.until(START_MS, async () => {
      const members = await this.processes.members(owner, started);
      found = childOfInit(members, this.initName);
      return found !== undefined || hasEnded;
    });
    if (found === undefined) throw new Error(hasEnded ? 'it ended at once' : 'it took too long');
    return this.processes.handleOf(found);
  }
}

function open({ child }: Launched): void {
  // A container that is gone already shows that by its exit.
  child.stdin?.on('error', () => {});
  child.stdin?.end('go\n');
}

/** The end of a container's log, on one line. */
function lastWords(logFile: string): string {
  try {
    const text = readFileSync(logFile, 'utf8').trim().replaceAll(/\s+/g, ' ');
    return text.slice(-REASON_CHARS);
  } catch {
    return '';
  }
}
