import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { AGENT_MARK_VARIABLE } from '#libs/protocol';

import type { ContainerMount, ContainerOwner } from '../container-driver.js';
import type { Launch } from '../process/host-processes.js';
import { findProgram } from '../process/privileges.js';
import { EnclosedDriver, type Enclosure } from './enclosed.driver.js';
import { seccompProfile } from './seccomp-profile.js';
import { INSIDE_USER } from './skeleton.js';

/** Ids that a container maps: the agent's own run of them. */
const IDS = 65_536;
/** Where distributions put the small process 1 that podman gives a container. */
const INIT_FILES = ['/usr/libexec/podman/catatonit', '/usr/lib/podman/catatonit'];
/** Limits by podman's names. It asks for more than c0re may have, and gets no more than about half of the processes. */
const ULIMITS = {
  nofile: { title: 'Max open files', most: 1_048_576 },
  nproc: { title: 'Max processes', most: 16_384 },
} as const;
const CLEAN_UPS = 4;
const CLEAN_UP_MS = 30_000;
const run = promisify(execFile);

/**
 * podman by its command line, with a store of its own and without images. Its command stays in the foreground as the
 * container's keeper; the container's cgroups lie below the agent's, which hold the limits. Needs root.
 */
export class PodmanDriver extends EnclosedDriver {
  override readonly name = 'podman';
  /** podman makes groups below the agent's; a group with processes of its own can hand down no controllers. */
  protected override readonly entersGroups = false;
  private program = 'podman';
  private init = '';
  private runtime: string | undefined;

  protected override async obstacle(): Promise<string | undefined> {
    if (process.getuid?.() !== 0) return 'the podman driver needs root';
    const program = findProgram('podman');
    if (!program) return 'there is no podman: install podman';
    const init = findProgram('catatonit') ?? INIT_FILES.find((file) => existsSync(file));
    if (!init) return 'there is no catatonit, which podman needs: install catatonit';
    this.program = program;
    this.init = init;
    // crun refuses machines on which version 1 and 2 of cgroups lie beside each other.
    this.runtime = findProgram('runc');
    mkdirSync(this.store, { recursive: true, mode: 0o700 });
    writeFileSync(this.profile, JSON.stringify(seccompProfile()));
    return undefined;
  }

  protected override weaknesses(): string[] {
    return [];
  }

  protected override launchOf({ owner, program, skeleton }: Enclosure): Launch {
    const first = (owner.user ?? 0) - INSIDE_USER;
    const names = [...Object.keys(program.env), AGENT_MARK_VARIABLE];
    const user = `${INSIDE_USER}:${INSIDE_USER}`;
    return {
      argv: [
        this.program,
        ...[
          this.global(),
          ['run', '--interactive', '--rm', '--replace', `--name=${this.nameOf(owner)}`],
          ['--init', `--init-path=${this.init}`, '--log-driver=none'],
          [`--cgroup-parent=/${this.cgroups?.nameOf(owner.agentId) ?? ''}`, '--pids-limit=0'],
          [`--uidmap=0:${first}:${IDS}`, `--gidmap=0:${first}:${IDS}`, `--user=${user}`],
          ['--cap-drop=all', '--security-opt=no-new-privileges'],
          [`--security-opt=seccomp=${this.profile}`, ...ownLimits()],
          [`--network=${program.network === 'full' ? 'host' : 'none'}`, '--no-hosts'],
          program.network === 'full' ? [] : [`--hostname=${owner.name}`],
          ['--read-only', '--read-only-tmpfs=false'],
          ['--tmpfs=/tmp:mode=1777', '--tmpfs=/var/tmp:mode=1777'],
          [...skeleton.mounts, ...program.mounts].map(mountOf),
          // Only names: the values stand in its environment, which only root reads, and not on its command line.
          names.map((name) => `--env=${name}`),
          [`--workdir=${program.cwd}`, '--rootfs', skeleton.root, ...program.argv],
        ].flat(),
      ],
      env: program.env,
      cwd: '/',
      logFile: program.logFile,
    };
  }

  /** What was killed leaves its record in podman's store. */
  protected override async cleanUp(owner: ContainerOwner): Promise<void> {
    const args = [...this.global(), 'rm', '--force', '--ignore', '--time=0', this.nameOf(owner)];
    for (let attempt = 1; ; attempt += 1) {
      try {
        await run(this.program, args, { timeout: CLEAN_UP_MS });
        return;
      } catch (error) {
        // It first has to notice that the container was killed.
        if (attempt === CLEAN_UPS) throw error;
      }
    }
  }

  /** A store of this hive's own: the machine's containers and these know nothing of each other. */
  private global(): string[] {
    const at = (part: string) => path.join(this.store, part);
    return [
      [`--root=${at('storage')}`, `--runroot=${at('run')}`, `--tmpdir=${at('tmp')}`],
      ['--storage-driver=vfs', '--events-backend=none', '--cgroup-manager=cgroupfs'],
      this.runtime === undefined ? [] : [`--runtime=${this.runtime}`],
    ].flat();
  }

  private nameOf({ agentId }: ContainerOwner): string {
    return `hive-${this.options.hiveId}-${agentId}`;
  }

  private get store(): string {
    return path.join(this.options.folder, 'podman');
  }

  private get profile(): string {
    return path.join(this.store, 'seccomp.json');
  }
}

function mountOf({ source, target, writable }: ContainerMount): string {
  const fields = ['type=bind', `src=${source}`, `dst=${target}`, ...(writable ? [] : ['ro'])];
  return `--mount=${fields.map(quoted).join(',')}`;
}

function ownLimits(): string[] {
  const text = readFileSync('/proc/self/limits', 'latin1');
  return Object.entries(ULIMITS).map(([name, { title, most }]) => {
    const hard = new RegExp(`^${title}\\s+\\S+\\s+(\\d+)`, 'm').exec(text)?.[1];
    const limit = Math.min(most, Number(hard ?? most));
    return `--ulimit=${name}=${limit}:${limit}`;
  });
}

/** A field as podman's reader of comma-separated values takes it. */
function quoted(field: string): string {
  return /[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
