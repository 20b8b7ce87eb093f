import { execFile } from 'node:child_process';
import { openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import type { ContainerMount } from '../container-driver.js';
import type { Launch } from '../process/host-processes.js';
import { findProgram, Privileges } from '../process/privileges.js';
import { EnclosedDriver, type Enclosure } from './enclosed.driver.js';
import { seccompFilter } from './seccomp-filter.js';
import { INSIDE_USER } from './skeleton.js';

const run = promisify(execFile);

/**
 * bubblewrap: the light sandbox, and the one that needs no root. A user namespace with one user in which no other can be
 * made, no network but loopback unless `full`, no capabilities, a seccomp filter; cgroups of ours when c0re is root.
 */
export class BubblewrapDriver extends EnclosedDriver {
  override readonly name = 'bubblewrap';
  private readonly privileges = new Privileges();
  private program = 'bwrap';
  private canDisableUserNamespaces = true;

  protected override async obstacle(): Promise<string | undefined> {
    const program = findProgram('bwrap');
    if (!program) return 'there is no bwrap: install bubblewrap';
    this.program = program;
    const { stdout } = await run(program, ['--help']);
    this.canDisableUserNamespaces = stdout.includes('--disable-userns');
    if (this.options.trialUser !== undefined) await this.privileges.check();
    return undefined;
  }

  protected override weaknesses(): string[] {
    const off: string[] = [];
    if (seccompFilter() === undefined) {
      off.push(`there is no filter of system calls for this processor (${process.arch})`);
    }
    if (this.options.trialUser === undefined) {
      off.push(
        "agents' files belong to the hive's own user: only their containers keep agents from them",
      );
    }
    return off;
  }

  protected override launchOf({ owner, program, skeleton }: Enclosure): Launch {
    const argv: [string, ...string[]] = [
      this.program,
      ...[
        ['--unshare-all', '--unshare-user', '--new-session'],
        this.canDisableUserNamespaces ? ['--disable-userns'] : [],
        program.network === 'full' ? ['--share-net'] : [],
        seccompFilter() === undefined ? [] : ['--seccomp', '3'],
        ['--ro-bind', skeleton.root, '/', '--proc', '/proc', '--dev', '/dev'],
        ['--perms', '1777', '--tmpfs', '/dev/shm', '--remount-ro', '/dev'],
        ['--perms', '1777', '--tmpfs', '/tmp', '--perms', '1777', '--tmpfs', '/var/tmp'],
        [...skeleton.mounts, ...program.mounts].flatMap(bindOf),
        ['--uid', String(INSIDE_USER), '--gid', String(INSIDE_USER), '--hostname', owner.name],
        ['--chdir', program.cwd, '--', ...program.argv],
      ].flat(),
    ];
    return {
      argv: owner.user === undefined ? argv : this.privileges.asUser(owner.user, argv),
      env: program.env,
      cwd: '/',
      logFile: program.logFile,
      files: this.filter(),
    };
  }

  /** The filter of system calls as an open file; none on processors for which there is none. */
  private filter(): number[] {
    const bytes = seccompFilter();
    if (!bytes) return [];
    const file = path.join(this.options.folder, 'seccomp.bpf');
    writeFileSync(file, bytes);
    return [openSync(file, 'r')];
  }
}

function bindOf({ source, target, writable }: ContainerMount): string[] {
  return [writable ? '--bind' : '--ro-bind', source, target];
}
