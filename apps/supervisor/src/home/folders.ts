import { chmodSync, chownSync, lstatSync, mkdirSync } from 'node:fs';

import { StartRefusedError } from '../preflight/start-refused.error.js';

export interface FolderWish {
  path: string;
  mode: number;
  /** Owner and group; undefined: who runs the supervisor. */
  uid?: number;
  gid?: number;
}

const ALL_MODE_BITS = 0o7777;

/**
 * Makes the folder, or gives the one that is there its owner and mode. Never follows a link.
 * @throws StartRefusedError when something else is in its place, or the system refuses.
 */
export function ensureFolder({ path, mode, uid, gid }: FolderWish): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw cannotMake(path, error);
  }
  const found = lstatSync(path);
  if (!found.isDirectory()) {
    throw new StartRefusedError(
      `${path} must be a folder, but something else lies there: remove it`,
    );
  }
  const owner = uid ?? process.geteuid?.() ?? found.uid;
  const group = gid ?? uid ?? process.getegid?.() ?? found.gid;
  try {
    if (found.uid !== owner || found.gid !== group) chownSync(path, owner, group);
    if ((found.mode & ALL_MODE_BITS) !== mode) chmodSync(path, mode);
  } catch (error) {
    throw cannotMake(path, error);
  }
}

const REASONS: Record<string, string> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not change it',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is not a folder',
  ENAMETOOLONG: 'the path is too long',
};

/** The refusal for a folder that cannot be made, with the system's reason in words. */
export function cannotMake(path: string, error: unknown): StartRefusedError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new StartRefusedError(
    `cannot prepare ${path}: ${REASONS[code] ?? message}. Choose another state folder: npm start -- --home /path`,
    { cause: error },
  );
}
