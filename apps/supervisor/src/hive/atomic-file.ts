import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';

/** Writes the file whole or not at all: readers see the old text or the new one. */
export function writeAtomically(file: string, text: string, mode: number): void {
  const fresh = `${file}.new`;
  const fd = openSync(fresh, 'w', mode);
  try {
    fchmodSync(fd, mode);
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(fresh, file);
}
