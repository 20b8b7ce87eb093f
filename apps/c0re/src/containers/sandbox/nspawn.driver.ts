import { execFile } from 'node:child_process';
import { rmdirSync } from 'node:fs';
import { promisify } from 'node:util';

import { AGENT_MARK_VARIABLE } from '#libs/protocol';

import type { ContainerMount, ContainerOwner } from '../container-driver.js';
import type { Launch, ProcessHandle } from '../process/host-processes.js';
import { findProgram } from '../process/privileges.js';
import { EnclosedDriver, type Enclosure } from './enclosed.driver.js';
import { DENIED_CALLS, DENIED_GROUPS } from './seccomp.rules.js';
import { INSIDE_USER } from './skeleton.js';

/** Ids that a container maps: the agent's own run of them. */
const IDS = 65_536;
const CLOSE_NAMESPACES = 'echo 0 > /proc/sys/user/max_user_namespaces';
const run = promisify(execFile);

/**
 * systemd-nspawn without an image and without systemd as process 1: a user namespace per agent, no network but loopback
 * unless `full`, no capabilities, a seccomp filter, cgroups of ours. Needs root.
 */
export class NspawnDriver extends EnclosedDriver {
  override readonly name = 'nspawn';
  protected override readonly initName = '(sd-stubinit)';
  private program = 'systemd-nspawn';
  private nsenter = 'nsenter';

  protected override async obstacle(): Promise<string | undefined> {
    if (process.getuid?.() !== 0) return 'systemd-nspawn needs root';
    const [program, nsenter] = [findProgram('systemd-nspawn'), findProgram('nsenter')];
    if (!program) return 'there is no systemd-nspawn: install systemd-container';
    if (!nsenter) return 'there is no nsenter: install util-linux';
    this.program = program;
    this.nsenter = nsenter;
    return undefined;
  }

  protected override weaknesses(): string[] {
    return [];
  }

  protected override launchOf({ owner, program, skeleton }: Enclosure): Launch {
    const { env } = program;
    const first = (owner.user ?? 0) - INSIDE_USER;
    const names = [...Object.keys(env), AGENT_MARK_VARIABLE];
    return {
      argv: [
        this.program,
        ...[
          ['--quiet', '--register=no', '--keep-unit', '--as-pid2', '--console=pipe'],
          [`--machine=${this.machineOf(owner)}`, `--hostname=${owner.name}`],
          [`--directory=${skeleton.root}`, '--read-only'],
          [`--private-users=${first}:${IDS}`, '--private-users-ownership=off'],
          program.network === 'full' ? [] : ['--private-network'],
          ['--link-journal=no', '--resolv-conf=off', '--timezone=off'],
          ['--no-new-privileges=yes', '--drop-capability=all', '--user=agent'],
          [`--system-call-filter=~${[...DENIED_GROUPS, ...DENIED_CALLS].join(' ')}`],
          ['--tmpfs=/tmp:mode=1777', '--tmpfs=/var/tmp:mode=1777'],
          [...skeleton.mounts, ...program.mounts].map(bindOf),
          [`--chdir=${program.cwd}`],
          // Only names: the values stand in its environment, which only root reads, and not on its command line.
          names.map((name) => `--setenv=${name}`),
          ['--', ...program.argv],
        ].flat(),
      ],
      env,
      cwd: '/',
      logFile: program.logFile,
    };
  }

  /** The kernel lets everybody make user namespaces, by clone too, which no filter of nspawn can see. */
  protected override async close({ pid }: ProcessHandle): Promise<void> {
    await run(this.nsenter, ['-t', String(pid), '-U', '/bin/sh', '-c', CLOSE_NAMESPACES]);
  }

  protected override async cleanUp(owner: ContainerOwner): Promise<void> {
    for (const folder of ['propagate', 'unix-export']) {
      try {
        rmdirSync(`/run/systemd/nspawn/${folder}/${this.machineOf(owner)}`);
      } catch {
        // Removed by nspawn itself.
      }
    }
  }

  private machineOf({ agentId }: ContainerOwner): string {
    return `hive-${this.options.hiveId}-${agentId}`;
  }
}

function bindOf({ source, target, writable }: ContainerMount): string {
  return `--bind${writable ? '' : '-ro'}=${escaped(source)}:${escaped(target)}`;
}

function escaped(file: string): string {
  return file.replaceAll(/[\\:]/g, String.raw`\$&`);
}
