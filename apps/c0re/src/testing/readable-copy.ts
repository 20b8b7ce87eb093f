import { constants, copyFileSync, cpSync, existsSync, statSync } from 'node:fs';
import path from 'node:path';

/**
 * The file itself when every user of the machine can read it, else a copy in `folder`: tests that run as root start
 * agents as other users, also in a clone below a private folder.
 */
export function readableByAll(file: string, folder: string): string {
  if (isOpen(file)) return file;
  const copy = path.join(folder, path.basename(file));
  copyFileSync(file, copy, constants.COPYFILE_FICLONE);
  return copy;
}

/** The main file of the built harness, where every user can read it. */
export function builtHarness(folder: string): string {
  const root = path.resolve(import.meta.dirname, '../../../..');
  const main = path.join('dist', 'apps', 'harness', 'src', 'main.js');
  if (!existsSync(path.join(root, main))) {
    throw new Error(`${main} is missing: run \`npm run build:server\` first`);
  }
  if (isOpen(path.join(root, main))) return path.join(root, main);
  for (const part of ['package.json', 'dist/apps/harness', 'dist/libs/protocol']) {
    cpSync(path.join(root, part), path.join(folder, part), { recursive: true });
  }
  return path.join(folder, main);
}

/** Whether every user may enter all folders above the file. */
function isOpen(file: string): boolean {
  return ancestors(file).every((place) => (statSync(place).mode & 0o001) !== 0);
}

function ancestors(file: string): string[] {
  const parent = path.dirname(file);
  return parent === file ? [] : [parent, ...ancestors(parent)];
}
