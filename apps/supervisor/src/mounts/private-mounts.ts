import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

import { findProgram } from '../preflight/programs.check.js';
import { StartRefusedError } from '../preflight/start-refused.error.js';
import { closedFolders, findHiddenFolders, type HiddenFolder } from './hidden-folders.js';

/** Set for the supervisor that runs in the mount namespace that its predecessor made. */
export const PRIVATE_MOUNTS = 'HIVE_PRIVATE_MOUNTS';

/** Files up to this size are copied into the cover, so that they can be read whatever their mode is; others are bound. */
const COPY_BYTES = 1024 * 1024;
const READABLE = 0o755;

export interface ReachablePaths {
  /** What every user of the hive must reach. */
  paths: readonly string[];
  /** Of these, folders that they must be able to list and read; the state folder is prepared apart. */
  read: readonly string[];
}

/**
 * Makes the clone, the state folder and the programs reachable for the hive's users when they lie below a folder that
 * only root may enter. The supervisor starts again in a mount namespace of its own; there each such folder is covered by
 * an empty one, in which only what is needed appears, at its old path. Other processes see nothing of it, everything else
 * below the folder is hidden from the hive, and it ends with the last process of the hive, however that ends.
 *
 * Returns when nothing is (or remains) to be done; otherwise does not return.
 * @throws StartRefusedError when the system does not permit it.
 */
export function makeReachable({ paths, read }: ReachablePaths): void {
  const closed = closedFolders(read);
  if (closed.length > 0) {
    throw new StartRefusedError(
      `the hive's users may not read ${closed.join(' and ')}. Open it to them: chmod -R go+rX ${closed.join(' ')}`,
    );
  }
  const hidden = findHiddenFolders(paths);
  if (hidden.length === 0) return;
  if (process.env[PRIVATE_MOUNTS] === undefined) startAgainInOwnNamespace(hidden);
  else for (const folder of hidden) cover(folder);
}

function startAgainInOwnNamespace(hidden: readonly HiddenFolder[]): never {
  // `slave`: what the machine mounts and unmounts later is followed here, nothing from here gets out.
  const unshare = ['--mount', '--propagation', 'slave', '--'];
  const program = findProgram(['unshare']);
  if (program === undefined) throw notPermitted(hidden, 'the program unshare is missing');
  try {
    execFileSync(program, [...unshare, '/bin/true'], { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    throw notPermitted(hidden, reasonOf(error));
  }
  const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve?.(program, [program, ...unshare, ...self], {
    ...process.env,
    [PRIVATE_MOUNTS]: '1',
  });
  throw notPermitted(hidden, 'this Node cannot replace its process');
}

/**
 * Covers one folder. What is needed is held open first: an open folder can be bound again by its entry in /proc when no
 * path leads to it any more.
 */
function cover(hidden: HiddenFolder): void {
  const held = hidden.needed.map((needed) => ({
    ...needed,
    fd: needed.kind === 'link' ? undefined : openSync(needed.path, constants.O_RDONLY),
  }));
  try {
    mount(hidden, ['-t', 'tmpfs', '-o', 'mode=0755,size=16m', 'hyperhive', hidden.path]);
    for (const { path: at, kind, target, fd } of held) {
      mkdirSync(path.dirname(at), { recursive: true, mode: READABLE });
      if (fd === undefined) symlinkSync(target ?? '', at);
      else if (kind === 'file') placeFile(hidden, at, fd);
      else bind(hidden, at, fd, () => mkdirSync(at, { mode: READABLE }));
    }
    mount(hidden, ['-o', 'remount,ro', hidden.path]);
  } finally {
    for (const { fd } of held) if (fd !== undefined) closeSync(fd);
  }
}

function placeFile(hidden: HiddenFolder, at: string, fd: number): void {
  const { size, mode } = fstatSync(fd);
  if (size <= COPY_BYTES) {
    writeFileSync(at, readFileSync(fd), { mode: (mode & READABLE) | 0o444 });
  } else {
    bind(hidden, at, fd, () => writeFileSync(at, ''));
  }
}

function bind(hidden: HiddenFolder, at: string, fd: number, makeTarget: () => void): void {
  makeTarget();
  mount(hidden, ['--no-canonicalize', '--rbind', `/proc/${process.pid}/fd/${fd}`, at]);
}

function mount(hidden: HiddenFolder, args: readonly string[]): void {
  try {
    execFileSync('mount', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    throw notPermitted([hidden], reasonOf(error));
  }
}

function notPermitted(hidden: readonly HiddenFolder[], reason: string): StartRefusedError {
  const folders = hidden.map((folder) => folder.path);
  return new StartRefusedError(
    `the users of the hive's services may not enter ${folders.join(' and ')}, and this system does not let root make private mounts for them (${reason}). Do one of these:
  - let others pass, without listing it:  chmod o+x ${folders.join(' ')}
  - move the clone and HIVE_HOME to a folder that everybody may enter, such as /opt
  - start the hive as an ordinary user who owns the clone`,
  );
}

function reasonOf(error: unknown): string {
  const { stderr, message } = error as { stderr?: Buffer; message: string };
  return stderr?.toString().trim().split('\n')[0] || message;
}
