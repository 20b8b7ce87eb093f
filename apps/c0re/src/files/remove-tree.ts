import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fstatSync,
  lstatSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';

import { clip, HiveError } from '#libs/protocol';

import { namesIn, openFolder, openFolderIn, self, within, type Name } from './open-folder.js';

/** Folders below each other that are held open; deeper ones are moved up first. */
const DEEPEST = 64;
/** How often one name is tried while somebody swaps what it names. */
const TRIES = 1000;
/** Entries after which other work gets its turn. */
const AT_ONCE = 200;
/** What a name that changed meanwhile answers; it is looked at anew. */
const CHANGED = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENOTEMPTY', 'EEXIST', 'EPERM']);

/**
 * Removes what has that name in a folder that only root can change, with all that is below it. Whatever an agent's
 * process does in there meanwhile, nothing outside is removed: folders are entered by descriptor and never through a
 * link, links themselves are removed, other file systems are not entered. Nothing there is well. Throws `conflict` when
 * it cannot be emptied.
 */
export async function removeTree(parent: string, name: string): Promise<void> {
  const top = openFolder(parent);
  try {
    await new Removal(top).remove(name);
  } finally {
    closeSync(top);
  }
}

class Removal {
  private readonly device: number;
  /** Names in the top folder that folders too deep down were moved to. */
  private readonly moved: string[] = [];
  private done = 0;

  constructor(private readonly top: number) {
    this.device = fstatSync(top).dev;
  }

  async remove(name: string): Promise<void> {
    await this.entry(this.top, name, 0);
    for (let next = this.moved.pop(); next !== undefined; next = this.moved.pop()) {
      await this.entry(this.top, next, 0);
    }
  }

  private async entry(folder: number, name: Name, depth: number): Promise<void> {
    for (let tried = 0; tried < TRIES; tried += 1) {
      const found = lstatSync(within(folder, name), { throwIfNoEntry: false });
      if (!found) return;
      await this.pause();
      if (!found.isDirectory()) {
        if (attempt(() => unlinkSync(within(folder, name)))) return;
      } else if (depth >= DEEPEST) {
        const higher = `.deep-${randomBytes(8).toString('hex')}`;
        // What is moved is looked at there, whatever it is by then.
        if (!attempt(() => renameSync(within(folder, name), within(this.top, higher)))) continue;
        this.moved.push(higher);
        return;
      } else if (await this.folder(folder, name, depth)) {
        return;
      }
    }
    throw new HiveError(
      'conflict',
      `${shown(name)} could not be removed: something goes on changing it; end that and purge again`,
    );
  }

  /** Empties the folder of that name and removes it; false when it has changed. */
  private async folder(parent: number, name: Name, depth: number): Promise<boolean> {
    let fd = -1;
    if (!attempt(() => (fd = openFolderIn(parent, name)))) return false;
    try {
      if (fstatSync(fd).dev !== this.device) {
        throw new HiveError(
          'conflict',
          `${shown(name)} is a mount point and is not entered; unmount it and purge again`,
        );
      }
      unlock(fd);
      for (const entry of namesIn(fd)) await this.entry(fd, entry, depth + 1);
    } finally {
      closeSync(fd);
    }
    return attempt(() => rmdirSync(within(parent, name)));
  }

  private async pause(): Promise<void> {
    this.done += 1;
    if (this.done % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets a hive that does not run as root into a folder whose owner, its own user, may not write there. */
function unlock(fd: number): void {
  if (process.getuid?.() !== 0) chmodSync(self(fd), 0o700);
}

function shown(name: Name): string {
  return JSON.stringify(clip(name.toString('utf8'), 100));
}

/** Whether it was done; false when the name stands for something else by now. */
function attempt(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (CHANGED.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
