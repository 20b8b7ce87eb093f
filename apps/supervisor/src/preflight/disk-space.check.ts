import { existsSync, statfsSync } from 'node:fs';
import path from 'node:path';

import { StartRefusedError } from './start-refused.error.js';

/** Free space below which a hive does not start: its databases must not meet a full disk within minutes. */
export const LEAST_FREE_BYTES = 200 * 1024 * 1024;

/** @throws StartRefusedError when the file system of `home` (which need not exist yet) is nearly full. */
export function checkDiskSpace(home: string, freeBytes: (folder: string) => number = free): void {
  let folder = home;
  while (!existsSync(folder)) folder = path.dirname(folder);
  const bytes = freeBytes(folder);
  if (bytes >= LEAST_FREE_BYTES) return;
  throw new StartRefusedError(
    `only ${mebibytes(bytes)} MB are free where the state folder lies (${home}); the hive needs at least ${mebibytes(LEAST_FREE_BYTES)} MB. Free some space, or choose another folder: npm start -- --home /path`,
  );
}

function free(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / 1024 / 1024);
}
