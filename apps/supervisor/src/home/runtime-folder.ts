import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';

import { SOCKET_PATH_BYTES, SOCKETS, socketPath } from '#libs/ipc';

import { StartRefusedError } from '../preflight/start-refused.error.js';
import { ensureFolder } from './folders.js';
import { noteOwner, type HiveUsers } from './hive-users.js';
import { link } from './state-folder.js';

/** Characters of the hash that tells the runtime folders of several hives apart. */
const HASH_CHARACTERS = 8;

/** The short folder of a hive's sockets (P37). */
export interface RuntimeFolder {
  path: string;
  /** Every socket by its name (`c0re-admin`, `redis`). */
  sockets: Record<string, string>;
}

/** Where runtime folders lie: `/run` for root, the session's own or `/tmp` for a user. */
export function runtimeParent(xdgRuntimeDir: string | undefined): string {
  if (process.geteuid?.() === 0) return canWrite('/run') ? '/run' : '/tmp';
  const own = xdgRuntimeDir !== undefined && isPrivateFolderOfOurs(xdgRuntimeDir);
  return own && fits(path.join(xdgRuntimeDir, 'hyperhive-'.padEnd(10 + HASH_CHARACTERS, 'x')))
    ? xdgRuntimeDir
    : '/tmp';
}

/** The runtime folder's path for this state folder (its real path). */
export function runtimePath(parent: string, home: string): string {
  const hash = createHash('sha256').update(home).digest('hex').slice(0, HASH_CHARACTERS);
  const user = process.geteuid?.() ?? 0;
  const shared = parent === '/tmp' ? `${user}-` : '';
  return path.join(parent, `hyperhive-${shared}${hash}`);
}

/**
 * Makes the folder anew with one folder per socket: owned by the server, setgid to the peer's group, so that each socket
 * is that pair's alone (P29). What an earlier run left in it is removed.
 * @throws StartRefusedError when it is a link or belongs to somebody else.
 */
export function makeRuntimeFolder(folder: string, users: HiveUsers): RuntimeFolder {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    refuseForeign(folder);
    clear(folder);
  }
  const separate = users.base !== undefined;
  ensureFolder({ path: folder, mode: separate ? 0o711 : 0o700 });
  noteOwner(folder, users.base);

  const sockets: Record<string, string> = {};
  for (const { server, peer } of SOCKETS) {
    const socket = socketPath(folder, server, peer);
    makePairFolder(path.dirname(socket), users.of(server), users.of(peer), separate);
    sockets[`${server}-${peer}`] = socket;
  }
  const redis = path.join(folder, 'redis', 'redis.sock');
  makePairFolder(path.dirname(redis), users.of('redis'), users.of('redis'), separate);
  sockets['redis'] = redis;
  return { path: folder, sockets };
}

/** Links to the sockets under `$HIVE_HOME/run`, where such a path can still be connected to (P37). */
export function linkSockets(home: string, sockets: Readonly<Record<string, string>>): void {
  for (const [name, socket] of Object.entries(sockets)) {
    const at = path.join(home, 'run', `${name}.sock`);
    if (Buffer.byteLength(at) <= SOCKET_PATH_BYTES) link(at, socket);
  }
}

/** Removes the links and the runtime folder. */
export function removeRuntimeFolder(home: string, { path: folder, sockets }: RuntimeFolder): void {
  for (const name of Object.keys(sockets)) {
    rmSync(path.join(home, 'run', `${name}.sock`), { force: true });
  }
  clear(folder);
  rmSync(folder, { recursive: true, force: true });
}

function makePairFolder(
  folder: string,
  server: number | undefined,
  peer: number | undefined,
  separate: boolean,
): void {
  ensureFolder({
    path: folder,
    mode: separate ? 0o2750 : 0o700,
    uid: server,
    gid: peer ?? server,
  });
}

function refuseForeign(folder: string): void {
  const found = lstatSync(folder);
  if (found.isDirectory() && found.uid === (process.geteuid?.() ?? found.uid)) return;
  throw new StartRefusedError(
    `${folder} should be the hive's folder of sockets, but it is ${found.isDirectory() ? `owned by user ${found.uid}` : 'not a folder'}. Remove it, or set XDG_RUNTIME_DIR to a private folder of yours`,
  );
}

/** Only the supervisor's own user can put anything directly into the folder, so removing by name is safe. */
function clear(folder: string): void {
  for (const name of readdirSync(folder)) {
    rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}

function isPrivateFolderOfOurs(folder: string): boolean {
  try {
    const found = statSync(folder);
    return found.isDirectory() && found.uid === process.geteuid?.() && (found.mode & 0o077) === 0;
  } catch {
    return false;
  }
}

function canWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return statSync(folder).isDirectory();
  } catch {
    return false;
  }
}

function fits(folder: string): boolean {
  return SOCKETS.every(
    ({ server, peer }) => Buffer.byteLength(socketPath(folder, server, peer)) <= SOCKET_PATH_BYTES,
  );
}
