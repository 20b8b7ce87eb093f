import { chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { HiveError } from '#libs/protocol';

import type {
  ContainerDriver,
  ContainerMount,
  ContainerOwner,
  ContainerProgram,
  RunningContainer,
  StopBounds,
} from '../container-driver.js';
import { HostProcesses, type HostProcessesOptions } from '../process/host-processes.js';
import { DENIED_CALLS, DENIED_GROUPS } from '../sandbox/seccomp.rules.js';
import { INSIDE_USER } from '../sandbox/skeleton.js';
import { NixosContainerCli } from './nixos-container.cli.js';

/** Where the container's unit finds what it is to run. */
const LAUNCH_INSIDE = '/run/hive-launch';
const LOG_INSIDE = '/run/hive-log';

export interface NixosContainerOptions extends HostProcessesOptions {
  /** Folder of c0re's own for what containers are told. */
  folder: string;
  /** The system of a container, as `REF#ATTRIBUTE`; undefined when the operator named none. */
  flake: string | undefined;
  confDir?: string;
}

/**
 * Containers of NixOS (production there): each has a system of its own, built from a flake, whose unit `hive-agent` runs
 * what lies in /run/hive-launch and powers the container off when that ends. c0re only makes, starts, limits and ends
 * them: nothing is ever run in one as its root, which without a user namespace is the host's.
 */
export class NixosContainerDriver implements ContainerDriver {
  readonly name = 'nixos-container';
  readonly hasOwnFiles = true;
  private readonly cli: NixosContainerCli;
  private readonly processes: HostProcesses;

  constructor(private readonly options: NixosContainerOptions) {
    this.processes = new HostProcesses(options);
    this.cli = new NixosContainerCli({
      confDir: options.confDir ?? '/etc/nixos-containers',
      workDir: path.join(options.folder, 'nixos-work'),
    });
  }

  async check(): Promise<void> {
    const obstacle =
      (await this.cli.obstacle()) ??
      (this.options.flake === undefined
        ? 'no flake is named for the containers (HIVE_NIXOS_FLAKE)'
        : undefined);
    if (obstacle !== undefined) throw new HiveError('driver_unavailable', obstacle);
  }

  protectionsOff(): string[] {
    return [];
  }

  async create(owner: ContainerOwner): Promise<void> {
    const name = this.nameOf(owner);
    if ((await this.cli.status(name)) === 'gone') {
      await this.cli.create(name, this.options.flake ?? '');
    }
  }

  async start(owner: ContainerOwner, program: ContainerProgram): Promise<RunningContainer> {
    const name = this.nameOf(owner);
    await this.create(owner);
    const launch = this.writeLaunch(owner, program);
    const mounts = [
      ...program.mounts,
      { source: launch, target: LAUNCH_INSIDE, writable: false },
      { source: program.logFile, target: LOG_INSIDE, writable: true },
    ];
    writeFileSync(program.logFile, '', { flag: 'a', mode: 0o640 });
    const flags = [
      '--no-new-privileges=yes',
      // One by one: the unit splits its flags at spaces.
      ...[...DENIED_GROUPS, ...DENIED_CALLS].map((call) => `--system-call-filter=~${call}`),
      ...mounts.map(bindOf),
    ];
    this.cli.configure(name, {
      PRIVATE_NETWORK: program.network === 'full' ? '0' : '1',
      // Without addresses there is no link to the host: loopback is all.
      HOST_ADDRESS: '',
      LOCAL_ADDRESS: '',
      PRIVATE_USERS: owner.user === undefined ? 'pick' : String(owner.user - INSIDE_USER),
      EXTRA_NSPAWN_FLAGS: flags.join(' '),
    });
    await this.cli.start(name);
    await this.cli.limit(name, {
      MemoryMax: String(program.limits.memoryBytes),
      MemorySwapMax: '0',
      CPUQuota: `${Math.max(1, Math.round(program.limits.cpus * 100))}%`,
      TasksMax: String(program.limits.pids),
    });
    const pid = await this.cli.leader(name);
    if (pid === undefined) {
      throw new HiveError('driver_unavailable', `the container ${name} ended at once`);
    }
    const handle = this.processes.handleOf(pid);
    return { handle, pid, exited: this.processes.ended(handle) };
  }

  adopt(owner: ContainerOwner, handle: unknown): RunningContainer | undefined {
    const found = this.processes.find(handle);
    return found && { handle, pid: found.pid, exited: this.processes.ended(found) };
  }

  async inspect(owner: ContainerOwner): Promise<number[]> {
    const pid = await this.cli.leader(this.nameOf(owner));
    return pid === undefined ? [] : [pid];
  }

  async stop(
    owner: ContainerOwner,
    _running: RunningContainer | undefined,
    bounds: StopBounds,
  ): Promise<void> {
    const name = this.nameOf(owner);
    if ((await this.cli.status(name)) !== 'up') return;
    const isAsked = bounds.termMs > 0 && (await this.cli.stop(name, bounds.termMs));
    if (!isAsked) await this.cli.terminate(name, bounds.killMs);
    if ((await this.cli.status(name)) === 'up') {
      throw new HiveError(
        'conflict',
        `the container ${name} of ${owner.name} is still up ${bounds.killMs} ms after it was ended; look at container@${name}, then stop the agent again`,
      );
    }
  }

  async destroy(owner: ContainerOwner): Promise<void> {
    await this.cli.destroy(this.nameOf(owner));
    rmSync(this.folderOf(owner), { recursive: true, force: true });
  }

  async strays(): Promise<number[]> {
    const own = (await this.cli.list()).filter((name) => name.startsWith(this.prefix));
    const ids: number[] = [];
    for (const name of own) {
      const id = Number.parseInt(name.slice(this.prefix.length), 36);
      if (Number.isSafeInteger(id) && (await this.cli.status(name)) === 'up') ids.push(id);
    }
    return ids;
  }

  /** Eleven characters: which hive, which agent. */
  private nameOf({ agentId }: ContainerOwner): string {
    return `${this.prefix}${agentId.toString(36)}`;
  }

  private get prefix(): string {
    return `h${this.options.hiveId.slice(0, 4)}-`;
  }

  private folderOf({ agentId }: ContainerOwner): string {
    return path.join(this.options.folder, String(agentId));
  }

  /** What its unit runs, for the agent alone: the environment is no part of any command line. */
  private writeLaunch(owner: ContainerOwner, { argv, env, cwd }: ContainerProgram): string {
    const folder = path.join(this.folderOf(owner), 'launch');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    const file = path.join(folder, 'program.json');
    writeFileSync(file, JSON.stringify({ argv, env, cwd }), { mode: 0o400 });
    if (owner.user !== undefined) chownSync(file, owner.user, owner.user);
    return folder;
  }
}

function bindOf({ source, target, writable }: ContainerMount): string {
  if (/[\s:]/.test(source + target)) {
    throw new HiveError(
      'invalid_request',
      `${JSON.stringify(source)} cannot be bound into a NixOS container: its path holds a space or a colon`,
    );
  }
  return `--bind${writable ? '' : '-ro'}=${source}:${target}`;
}
