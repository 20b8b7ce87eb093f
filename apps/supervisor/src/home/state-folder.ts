import { lstatSync, mkdirSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';

import { StartRefusedError } from '../preflight/start-refused.error.js';
import { cannotMake, ensureFolder, type FolderWish } from './folders.js';
import type { HiveUsers } from './hive-users.js';

/** Entered by every user of the hive, listed by none. */
const ENTERED = 0o711;
const OWN = 0o700;

/**
 * Makes HIVE_HOME if it is not there and returns its path without links.
 * @throws StartRefusedError when it cannot be made, or belongs to another user.
 */
export function openStateFolder(home: string): string {
  try {
    mkdirSync(home, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw cannotMake(home, error);
  }
  const real = realpathSync(home);
  const { uid } = statSync(real);
  const self = process.geteuid?.() ?? uid;
  if (uid !== self) {
    throw new StartRefusedError(
      `the state folder ${real} belongs to user ${uid}, and this is user ${self}. Start the hive as the user who made it, or choose another folder: npm start -- --home /path`,
    );
  }
  ensureFolder({ path: real, mode: self === 0 ? ENTERED : OWN });
  return real;
}

/** Makes every folder of INTERFACES "State folder" with its owner and mode; done twice it changes nothing. */
export function prepareStateFolder(home: string, users: HiveUsers): void {
  const separate = users.base !== undefined;
  const folder = (name: string, mode: number, service?: string): FolderWish => ({
    path: path.join(home, name),
    mode: separate ? mode : OWN,
    uid: service === undefined ? undefined : users.of(service),
  });
  const folders = [
    folder('run', 0o755),
    folder('db', ENTERED),
    folder('db/broker', OWN, 'broker'),
    folder('db/c0re', OWN),
    folder('agents', ENTERED),
    folder('applied', ENTERED),
    folder('meta', OWN),
    { ...folder('shared', 0o1777), mode: 0o1777 },
    { ...folder('docs', 0o755), mode: 0o755 },
    folder('forge', OWN),
    folder('secrets', OWN),
    folder('redis', OWN, 'redis'),
    folder('logs', OWN),
  ];
  for (const wish of folders) ensureFolder(wish);
  link(path.join(home, 'db/threads.db'), 'broker/threads.db');
  link(path.join(home, 'db/telemetry.db'), 'broker/telemetry.db');
  link(path.join(home, 'db/c0re.db'), 'c0re/c0re.db');
}

/** A link where nothing lies yet, or where an older link does; a file of somebody's is left alone. */
export function link(at: string, target: string): void {
  try {
    if (!lstatSync(at).isSymbolicLink()) return;
    rmSync(at);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  symlinkSync(target, at);
}
