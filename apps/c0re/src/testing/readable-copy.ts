import { copyFileSync, constants, statSync } from 'node:fs';
import path from 'node:path';

/**
 * The file itself when every user of the machine can read it, else a copy in `folder`: tests that run as root start
 * agents as other users, also in a clone below a private folder.
 */
export function readableByAll(file: string, folder: string): string {
  const isOpen = ancestors(file).every((place) => (statSync(place).mode & 0o001) !== 0);
  if (isOpen) return file;
  const copy = path.join(folder, path.basename(file));
  copyFileSync(file, copy, constants.COPYFILE_FICLONE);
  return copy;
}

function ancestors(file: string): string[] {
  const parent = path.dirname(file);
  return parent === file ? [] : [parent, ...ancestors(parent)];
}
