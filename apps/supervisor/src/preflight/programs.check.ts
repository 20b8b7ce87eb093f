import { accessSync, constants } from 'node:fs';
import path from 'node:path';

import { StartRefusedError } from './start-refused.error.js';

/** Folders of programs that a short PATH may lack. */
const USUAL_FOLDERS = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
];

/** Absolute path of the first of `names` that can be run, or undefined. */
export function findProgram(
  names: readonly string[],
  searchPath = process.env['PATH'] ?? '',
): string | undefined {
  for (const name of names) {
    for (const folder of [...searchPath.split(':').filter(Boolean), ...USUAL_FOLDERS]) {
      const candidate = path.join(folder, name);
      if (canRun(candidate)) return candidate;
    }
  }
  return undefined;
}

/** Path of the Redis server to start. @throws StartRefusedError when there is none. */
export function findRedisServer(given: string | undefined): string {
  const found = given ?? findProgram(['redis-server', 'valkey-server']);
  if (found !== undefined) return found;
  throw new StartRefusedError(
    'there is no redis-server or valkey-server on this machine. Install one, or name a Redis that runs: npm start -- --redis-url redis://:password@host:6379',
  );
}

/** Path of setpriv. @throws StartRefusedError when there is none and users must be separated. */
export function findSetpriv(needed: boolean): string | undefined {
  const found = findProgram(['setpriv']);
  if (found !== undefined || !needed) return found;
  throw new StartRefusedError(
    'started as root, the hive runs its services as users of their own and needs the program setpriv for it. Install the package util-linux, or start the hive as an ordinary user',
  );
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
