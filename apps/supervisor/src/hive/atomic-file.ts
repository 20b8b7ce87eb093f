import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';

/** Writes the file whole or not at all: readers see the old text or the new one. */
export function writeAtomically(file: string, text: string, mode: number): void {
  const fresh = `${file}.new`;
  const fd = openSync(fresh, 'w', mode);
  try {
    fchmodSync(fd, mode);
    // Unlike writeSync, it writes on after a short write: a full disk is an error, never a file cut off.
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(fresh, file);
}
