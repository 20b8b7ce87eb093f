import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

import type { ContainerLimits } from '../container-driver.js';
import { LIMITING, readHierarchies, type Hierarchies } from './hierarchies.js';

const CPU_PERIOD_US = 100_000;
/** The kernel takes no smaller quota. */
const LEAST_CPU_US = 1000;
/** Moves itself into the groups, then becomes the program: `sh -c ENTER sh COUNT GROUP… PROGRAM…`. */
const ENTER =
  'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1/cgroup.procs" || exit 125; shift; n=$((n-1)); done; exec "$@"';

/**
 * One cgroup per agent below one of the hive, in each hierarchy that limits or tracks: version 1, version 2 and both
 * beside each other. What runs in an agent's group cannot leave it.
 */
export class CgroupTree {
  private readonly hive: string;
  /** Mount points in which agents have groups. */
  private readonly used: readonly string[];

  constructor(
    hiveId: string,
    private readonly hierarchies: Hierarchies = readHierarchies(),
  ) {
    this.hive = `hyperhive-${hiveId}`;
    const limiting = LIMITING.map((controller) => hierarchies.legacy.get(controller));
    this.used = [...new Set([hierarchies.unified, ...limiting])].filter(
      (mountPoint) => mountPoint !== undefined,
    );
  }

  /** Limits that cannot be set here; makes the hive's own groups where they can. */
  prepare(): string[] {
    const missing = new Set<string>(LIMITING);
    for (const mountPoint of this.used) {
      try {
        this.enableControllers(mountPoint);
        makeGroup(path.join(mountPoint, this.hive));
      } catch {
        // Not writable: the controllers that live here stay missing.
        continue;
      }
      for (const controller of LIMITING) {
        if (this.mountOf(controller) === mountPoint) missing.delete(controller);
      }
    }
    return [...missing];
  }

  /** Makes the agent's groups and sets the limits that can be set. Done twice it only sets them again. */
  create(agentId: number, limits: ContainerLimits): void {
    this.prepare();
    for (const group of this.groups(agentId)) {
      try {
        makeGroup(group);
      } catch {
        // As `prepare` said.
      }
    }
    const quota = Math.max(LEAST_CPU_US, Math.round(limits.cpus * CPU_PERIOD_US));
    const memory = this.groupOf('memory', agentId);
    const cpu = this.groupOf('cpu', agentId);
    this.set(memory, 'memory.max', limits.memoryBytes);
    this.set(memory, 'memory.swap.max', 0);
    this.set(memory, 'memory.limit_in_bytes', limits.memoryBytes);
    this.set(memory, 'memory.memsw.limit_in_bytes', limits.memoryBytes);
    this.set(cpu, 'cpu.max', `${quota} ${CPU_PERIOD_US}`);
    this.set(cpu, 'cpu.cfs_period_us', CPU_PERIOD_US);
    this.set(cpu, 'cpu.cfs_quota_us', quota);
    this.set(this.groupOf('pids', agentId), 'pids.max', limits.pids);
  }

  /** The command line that runs `argv` in the agent's groups; to be started as root. */
  inside(agentId: number, argv: readonly string[]): [string, ...string[]] {
    const groups = this.groups(agentId).filter((group) => existsSync(group));
    return ['/bin/sh', '-c', ENTER, 'sh', String(groups.length), ...groups, ...argv];
  }

  /** Process ids in the agent's groups and in groups made below them. */
  processes(agentId: number): number[] {
    const all = this.groups(agentId).flatMap((group) =>
      groupsBelow(group).flatMap((each) => readNumbers(path.join(each, 'cgroup.procs'))),
    );
    return [...new Set(all)].filter((pid) => pid > 0);
  }

  /** Ends everything in the agent's group at once, where the kernel can. */
  kill(agentId: number): void {
    const { unified } = this.hierarchies;
    if (unified !== undefined) this.set(this.group(unified, agentId), 'cgroup.kill', 1);
  }

  /** Removes the agent's groups, and the hive's with the last of them; also those that a container manager made. Nothing may run in them. */
  remove(agentId: number): void {
    const everywhere = new Set([...this.used, ...this.hierarchies.legacy.values()]);
    for (const mountPoint of everywhere) {
      const groups = groupsBelow(this.group(mountPoint, agentId)).toReversed();
      for (const group of [...groups, path.join(mountPoint, this.hive)]) {
        try {
          rmdirSync(group);
        } catch {
          // Other agents' groups are in it, or a process that is dead but not reaped: the next start uses it again.
        }
      }
    }
  }

  /** Ids of agents in whose groups something runs. */
  agents(): number[] {
    const names = this.used.flatMap((mountPoint) => subfolders(path.join(mountPoint, this.hive)));
    const ids = [...new Set(names)].map(Number).filter((id) => Number.isSafeInteger(id));
    return ids.filter((id) => this.processes(id).length > 0);
  }

  /** The path of the agent's group below every mount point. */
  nameOf(agentId: number): string {
    return `${this.hive}/${agentId}`;
  }

  private groups(agentId: number): string[] {
    return this.used.map((mountPoint) => this.group(mountPoint, agentId));
  }

  private groupOf(controller: (typeof LIMITING)[number], agentId: number): string | undefined {
    const mountPoint = this.mountOf(controller);
    return mountPoint === undefined ? undefined : this.group(mountPoint, agentId);
  }

  private mountOf(controller: (typeof LIMITING)[number]): string | undefined {
    const { legacy, unified, unifiedControllers } = this.hierarchies;
    return (
      legacy.get(controller) ?? (unifiedControllers.includes(controller) ? unified : undefined)
    );
  }

  private group(mountPoint: string, agentId: number): string {
    return path.join(mountPoint, this.nameOf(agentId));
  }

  /** Version 2 gives a group only the controllers that its parent hands down. */
  private enableControllers(mountPoint: string): void {
    if (mountPoint !== this.hierarchies.unified) return;
    makeGroup(path.join(mountPoint, this.hive));
    const wanted = LIMITING.filter((each) => this.mountOf(each) === mountPoint);
    if (wanted.length === 0) return;
    const line = wanted.map((each) => `+${each}`).join(' ');
    writeFileSync(path.join(mountPoint, 'cgroup.subtree_control'), line);
    writeFileSync(path.join(mountPoint, this.hive, 'cgroup.subtree_control'), line);
  }

  /** Writes a setting that this version of cgroups has. */
  private set(group: string | undefined, file: string, value: string | number): void {
    if (group === undefined || !existsSync(path.join(group, file))) return;
    writeFileSync(path.join(group, file), String(value));
  }
}

/** Never with its parents: Node tries for ever in a file system where folders cannot be made. */
function makeGroup(group: string): void {
  if (!existsSync(group)) mkdirSync(group);
}

/** The group and all below it, parents first. */
function groupsBelow(group: string): string[] {
  if (!existsSync(group)) return [];
  return [group, ...subfolders(group).flatMap((name) => groupsBelow(path.join(group, name)))];
}

function subfolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

function readNumbers(file: string): number[] {
  try {
    return readFileSync(file, 'latin1').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
