import path from 'node:path';

import { fs } from '../platform/builtins.js';

/**
 * Writes `text` so that after a crash at any instant the file holds the old or the new content whole, and after the
 * return the new one survives a power loss. Only the agent's own user can read it.
 */
export function writeDurably(file: string, text: string): void {
  const fresh = `${file}.new`;
  const fd = fs.openSync(fresh, 'w', 0o600);
  try {
    // Unlike writeSync, it writes on after a short write: a full disk is an error, never a file cut off.
    fs.writeFileSync(fd, text);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(fresh, file);
  syncFolder(path.dirname(file));
}

/** Removes the file; after the return it stays gone. */
export function removeDurably(file: string): void {
  fs.rmSync(file, { force: true });
  syncFolder(path.dirname(file));
}

function syncFolder(folder: string): void {
  const fd = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
