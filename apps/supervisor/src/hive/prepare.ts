import path from 'node:path';

import type { WriterLock } from '#libs/store';

import { ensureFolder } from '../home/folders.js';
import {
  chooseUsers,
  removeDeadRuntimeFolders,
  singleUser,
  type HiveUsers,
} from '../home/hive-users.js';
import { runtimeParent, runtimePath } from '../home/runtime-folder.js';
import { openStateFolder, prepareStateFolder } from '../home/state-folder.js';
import { makeReachable } from '../mounts/private-mounts.js';
import { checkDiskSpace } from '../preflight/disk-space.check.js';
import { lockHome } from '../preflight/home-lock.js';
import { checkPorts } from '../preflight/ports.check.js';
import { findRedisServer, findSetpriv } from '../preflight/programs.check.js';
import { checkRedisUrl } from '../preflight/redis-url.check.js';
import type { SupervisorSettings } from '../settings/supervisor.settings.js';
import { revisionOf } from './revision.js';

/** A machine that is ready for the hive: everything was checked, nothing runs yet. */
export interface PreparedHive {
  settings: SupervisorSettings;
  dist: string;
  /** The state folder, without links. */
  home: string;
  lock: WriterLock;
  users: HiveUsers;
  runtimePath: string;
  setpriv: string | undefined;
  /** Undefined with HIVE_REDIS_URL. */
  redisServer: string | undefined;
  rev: string;
}

/**
 * Checks all that can be wrong before anything is started, and takes the state folder.
 * @throws StartRefusedError with one clear message. May start the supervisor again (see makeReachable).
 */
export async function prepareHive(
  settings: SupervisorSettings,
  clone: string,
): Promise<PreparedHive> {
  const dist = path.join(clone, 'dist');
  const isRoot = process.geteuid?.() === 0;
  checkDiskSpace(settings.home);
  const setpriv = findSetpriv(isRoot);
  const redisServer =
    settings.redisUrl === undefined ? findRedisServer(process.env['HIVE_REDIS_SERVER']) : undefined;
  // The covered clone has no .git, so the revision is handed on.
  const rev = (process.env['HIVE_REV'] ??= revisionOf(clone));

  const home = openStateFolder(settings.home);
  const programs = [process.execPath, ...(redisServer === undefined ? [] : [redisServer])];
  if (isRoot) reachable(clone, [home, settings.home, ...programs, ...settings.reachable]);
  ensureFolder({ path: path.join(home, 'run'), mode: isRoot ? 0o755 : 0o700 });
  const lock = lockHome(home);
  await checkPorts([settings.dashboard, settings.gateway]);
  if (settings.redisUrl !== undefined) await checkRedisUrl(settings.redisUrl);

  const parent = runtimeParent(process.env['XDG_RUNTIME_DIR']);
  removeDeadRuntimeFolders(parent);
  const users = isRoot ? chooseUsers(home, parent) : singleUser;
  prepareStateFolder(home, users);
  return {
    settings,
    dist,
    home,
    lock,
    users,
    runtimePath: runtimePath(parent, home),
    setpriv,
    redisServer,
    rev,
  };
}

/** Everything that the hive's users run and read; of the clone only what was built. */
function reachable(clone: string, more: readonly string[]): void {
  const built = [path.join(clone, 'dist'), path.join(clone, 'node_modules')];
  makeReachable({ paths: [...built, path.join(clone, 'package.json'), ...more], read: built });
}
