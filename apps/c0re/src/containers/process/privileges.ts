import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { HiveError } from '#libs/protocol';

/** Without these a process could become more than its user, by a set-uid program for example. */
const NO_PRIVILEGES = [
  '--clear-groups',
  '--inh-caps=-all',
  '--ambient-caps=-all',
  '--bounding-set=-all',
  '--no-new-privs',
];
/** Folders of programs that a short PATH may lack. */
const USUAL_FOLDERS = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
];
const run = promisify(execFile);

/** Runs programs as other users, without any privilege. */
export class Privileges {
  private setpriv = 'setpriv';

  /** Throws `driver_unavailable` with the reason when privileges cannot be dropped here. */
  async check(): Promise<void> {
    const found = findProgram('setpriv');
    if (!found) {
      throw new HiveError(
        'driver_unavailable',
        'started as root, the hive needs `setpriv` to give agents users of their own: install util-linux',
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

  /** The command line that runs `argv` as that user and group without any privilege. */
  asUser(user: number, argv: readonly string[]): [string, ...string[]] {
    const ids = ['--reuid', String(user), '--regid', String(user)];
    return [this.setpriv, ...ids, ...NO_PRIVILEGES, '--', ...argv];
  }
}

/** Absolute path of the program; undefined when this machine has none. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':').filter(Boolean), ...USUAL_FOLDERS];
  return folders.map((folder) => path.join(folder, name)).find((file) => isExecutable(file));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
