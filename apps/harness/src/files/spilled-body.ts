import { crypto, fs } from '../platform/builtins.js';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = fs.constants;

/**
 * Writes a body that is too long for a message below the state folder (P23): readable by all, whole or not at all, and
 * never through a symbolic link, whatever the agent's own processes put in its way meanwhile. `relative` has neither
 * empty parts nor `..`; the broker checked it. Throws the system's error when it cannot be written.
 */
export function writeSpilledBody(stateDir: string, relative: string, body: string): void {
  const parts = relative.split('/');
  const name = parts.pop() ?? '';
  if (name === '' || [name, ...parts].some((part) => ['', '.', '..'].includes(part)))
    throw new Error(`${JSON.stringify(relative)} is no path below the state folder`);
  let folder = fs.openSync(stateDir, O_RDONLY | O_DIRECTORY);
  try {
    for (const part of parts) {
      const next = openFolder(folder, part);
      fs.closeSync(folder);
      folder = next;
    }
    replaceFile(folder, name, body);
  } finally {
    fs.closeSync(folder);
  }
}

/** The folder of this name below an open one, made when it is missing. */
function openFolder(parent: number, name: string): number {
  const path = below(parent, name);
  try {
    return fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  fs.mkdirSync(path, { mode: 0o755 });
  return fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

function replaceFile(folder: number, name: string, body: string): void {
  const fresh = below(folder, `.${crypto.randomBytes(8).toString('hex')}.new`);
  const fd = fs.openSync(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
  try {
    fs.writeFileSync(fd, body);
    // Whatever the umask: other agents and the operator may read it.
    fs.fchmodSync(fd, 0o644);
    fs.fsyncSync(fd);
    // Takes the place of a link itself, never of what it points to.
    fs.renameSync(fresh, below(folder, name));
    fs.fsyncSync(folder);
  } catch (error) {
    fs.rmSync(fresh, { force: true });
    throw error;
  } finally {
    fs.closeSync(fd);
  }
}

/** A name in an open folder: the path goes by the descriptor, so nobody can move the folder away under it. */
function below(folder: number, name: string): string {
  return `/proc/self/fd/${folder}/${name}`;
}
