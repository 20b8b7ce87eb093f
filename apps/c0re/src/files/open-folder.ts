import { constants, openSync, readdirSync } from 'node:fs';

/** Names a place without opening what lies there: no device or FIFO is touched (open(2), O_PATH). */
export const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW } = constants;

/**
 * Work below folders that an agent may change at any time goes by open descriptors: each part of a path is opened in the
 * folder before it and never through a link, so that nothing that is swapped in between leads elsewhere. The caller
 * closes what is opened.
 */

export type Name = string | Buffer;

/** Opens a folder whose path only root can change. */
export function openFolder(folder: string): number {
  return openSync(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

/** Opens the folder of that name in an open one. Throws ENOTDIR or ELOOP when it is something else. */
export function openFolderIn(parent: number, name: Name): number {
  return openSync(within(parent, name), O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

/** The path of a name in an open folder, wherever that was moved to: what openat(2) would take. */
export function within(folder: number, name: Name): Buffer {
  const prefix = Buffer.from(`${self(folder)}/`);
  return Buffer.concat([prefix, typeof name === 'string' ? Buffer.from(name) : name]);
}

/** Names in an open folder, as the bytes that they are: an agent may choose any but `/` and NUL. */
export function namesIn(folder: number): Buffer[] {
  return readdirSync(self(folder), { encoding: 'buffer' });
}

/** The path of what is open itself. */
export function self(fd: number): string {
  return `/proc/self/fd/${fd}`;
}
