import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  type Stats,
} from 'node:fs';

import { HiveError, LIMITS } from '#libs/protocol';

import { namesIn, O_PATH, openFolder, openFolderIn, self, within } from '../files/open-folder.js';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
/** Readable by everybody: what its owner has not shown to all is nobody else's business (PRODUCT 8.2). */
const READABLE_BY_ALL = 0o004;
const SET_ID = 0o6000;

export interface StateFile {
  content: Buffer;
  modifiedAt: number;
}
export interface StateEntry {
  name: string;
  kind: 'file' | 'folder' | 'other';
  bytes: number;
  modifiedAt: number;
  /** Whether its content can be read here. */
  readable: boolean;
}

/**
 * Reads a file below `root`, a folder whose path only root can change; what lies below may be changed by an agent at any
 * time. Each folder is opened in the one before it and never through a link; the file itself is pinned without being
 * opened, looked at, and only then opened by that pin: what was checked is what is read.
 */
export function readStateFile(root: string, parts: readonly string[]): StateFile {
  return inFolder(root, parts.slice(0, -1), (folder, device) => {
    const name = parts.at(-1);
    if (name === undefined) throw notReadable('it is a folder');
    const pin = open(() => openSync(within(folder, name), O_PATH | O_NOFOLLOW));
    try {
      const stat = fstatSync(pin);
      const problem = fileProblem(stat, device);
      if (problem !== undefined) throw notReadable(problem);
      const fd = openSync(self(pin), O_RDONLY | O_NONBLOCK);
      try {
        return { content: readAtMost(fd, LIMITS.state_file_bytes), modifiedAt: stat.mtimeMs };
      } finally {
        closeSync(fd);
      }
    } finally {
      closeSync(pin);
    }
  });
}

/** What lies in a folder below `root`, at most LIMITS.state_entries; nothing is followed or opened. */
export function listStateFolder(
  root: string,
  parts: readonly string[],
): { entries: StateEntry[]; truncated: boolean } {
  return inFolder(root, parts, (folder, device) => {
    const names = namesIn(folder)
      .map((bytes) => bytes.toString('utf8'))
      .toSorted();
    const entries = names.slice(0, LIMITS.state_entries).flatMap((name) => {
      const stat = lstatSync(within(folder, name), { throwIfNoEntry: false });
      return stat ? [entry(name, stat, device)] : [];
    });
    return { entries, truncated: names.length > LIMITS.state_entries };
  });
}

function inFolder<T>(
  root: string,
  parts: readonly string[],
  work: (folder: number, device: number) => T,
): T {
  let folder = open(() => openFolder(root));
  try {
    const device = fstatSync(folder).dev;
    for (const part of parts) {
      const parent = folder;
      const next = open(() => openFolderIn(parent, part));
      closeSync(folder);
      folder = next;
      if (fstatSync(folder).dev !== device) throw notReadable('another file system begins there');
    }
    return work(folder, device);
  } finally {
    closeSync(folder);
  }
}

function fileProblem(stat: Stats, device: number): string | undefined {
  if (stat.isSymbolicLink()) return 'it is a symbolic link';
  if (stat.isDirectory()) return 'it is a folder';
  if (!stat.isFile()) return 'it is not a regular file';
  if (stat.dev !== device) return 'another file system begins there';
  if (stat.nlink !== 1) return 'it has more than one name (hard links)';
  if ((stat.mode & SET_ID) !== 0) return 'it is set-user-id or set-group-id';
  if ((stat.mode & READABLE_BY_ALL) === 0) return 'it is not readable by everybody (chmod o+r)';
  if (stat.size > LIMITS.state_file_bytes) {
    return `it has ${stat.size} bytes, the limit is ${LIMITS.state_file_bytes}`;
  }
  return undefined;
}

/** Its whole content; a file that grew past the limit since it was looked at is refused. */
function readAtMost(fd: number, most: number): Buffer {
  const buffer = Buffer.allocUnsafe(most + 1);
  let length = 0;
  for (;;) {
    const read = readSync(fd, buffer, length, buffer.length - length, null);
    length += read;
    if (length > most) throw notReadable(`it has more than ${most} bytes`);
    if (read === 0) return Buffer.from(buffer.subarray(0, length));
  }
}

function entry(name: string, stat: Stats, device: number): StateEntry {
  const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : 'other';
  return {
    name,
    kind,
    bytes: kind === 'file' ? stat.size : 0,
    modifiedAt: stat.mtimeMs,
    readable: kind === 'folder' || fileProblem(stat, device) === undefined,
  };
}

/** What is not there, or is something else than a folder, is refused in the same words wherever a link would lead. */
function open(work: () => number): number {
  try {
    return work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new HiveError('not_found', 'there is no such file');
    if (code === 'EACCES') throw notReadable('the hive may not enter its folder');
    if (code === 'ENOTDIR' || code === 'ELOOP')
      throw notReadable('a part of its path is no folder');
    throw error;
  }
}

function notReadable(why: string): HiveError {
  return new HiveError('not_readable', `the file is not read: ${why}`);
}
