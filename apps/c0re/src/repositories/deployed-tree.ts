import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

export interface DeployedFile {
  path: string;
  content: Buffer;
  executable: boolean;
}

/**
 * Makes what lies beside `.git` in a folder exactly these files. Only c0re can change the folder, so that nothing can be
 * in the way; done again after a crash it ends the same.
 */
export function writeTree(folder: string, files: readonly DeployedFile[]): void {
  const wanted = new Set<string>();
  for (const file of files) {
    for (let part = file.path; part !== '.'; part = path.dirname(part)) wanted.add(part);
  }
  const fresh = path.join(folder, `.hive-new-${randomBytes(8).toString('hex')}`);
  removeOthers(folder, '', wanted, new Set(files.map((file) => file.path)));
  for (const file of files) {
    const target = path.join(folder, file.path);
    mkdirSync(path.dirname(target), { recursive: true, mode: 0o755 });
    // Whole under another name first: a reader never sees half of it.
    const fd = openSync(fresh, 'wx', 0o644);
    try {
      writeFileSync(fd, file.content);
      fchmodSync(fd, file.executable ? 0o755 : 0o644);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(fresh, target);
  }
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function removeOthers(
  root: string,
  below: string,
  wanted: ReadonlySet<string>,
  files: ReadonlySet<string>,
): void {
  for (const name of readdirSync(path.join(root, below))) {
    if (below === '' && name === '.git') continue;
    const relative = path.join(below, name);
    const full = path.join(root, relative);
    const isFolder = lstatSync(full).isDirectory();
    if (!wanted.has(relative) || isFolder === files.has(relative)) {
      rmSync(full, { recursive: true, force: true });
    } else if (isFolder) {
      removeOthers(root, relative, wanted, files);
    }
  }
}
