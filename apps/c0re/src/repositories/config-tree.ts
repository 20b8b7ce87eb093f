import { HiveError, LIMITS } from '#libs/protocol';

/** A file of a config tree as it stands in a repository. */
export interface TreeFile {
  path: string;
  oid: string;
  bytes: number;
  executable: boolean;
}

const PATH_BYTES = 512;
const DEPTH = 16;
// oxlint-disable-next-line no-control-regex -- file names may hold them
const CONTROLS = /[\u0000-\u001f\u007f]/;
const FILE_MODES = new Set(['100644', '100755', '100664']);

/**
 * The files in the output of `ls-tree -r -t -z -l`. Throws `invalid_config` unless they are plain files under plain
 * names within the limits: no links, no submodules, nothing named `.git`.
 */
export function parseTree(listing: Buffer): TreeFile[] {
  const text = listing.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(listing)) throw refused('a file name is not UTF-8');
  const files: TreeFile[] = [];
  let total = 0;
  for (const entry of text.split('\0')) {
    if (entry === '') continue;
    const tab = entry.indexOf('\t');
    const [mode = '', type = '', oid = '', size = ''] = entry.slice(0, tab).split(/ +/);
    const path = entry.slice(tab + 1);
    const problem = pathProblem(path);
    if (problem) throw refused(`${JSON.stringify(path.slice(0, 200))} ${problem}`);
    if (type === 'tree') continue;
    if (!FILE_MODES.has(mode)) {
      const what =
        mode === '120000' ? 'a symbolic link' : mode === '160000' ? 'a submodule' : 'no plain file';
      throw refused(`${JSON.stringify(path)} is ${what}; a config tree holds only plain files`);
    }
    const bytes = Number(size);
    if (bytes > LIMITS.config_file_bytes) {
      throw refused(
        `${JSON.stringify(path)} has ${bytes} bytes, the limit is ${LIMITS.config_file_bytes}`,
      );
    }
    total += bytes;
    files.push({ path, oid, bytes, executable: mode === '100755' });
    if (files.length > LIMITS.config_files) {
      throw refused(`it has more than ${LIMITS.config_files} files`);
    }
  }
  if (total > LIMITS.config_tree_bytes) {
    throw refused(`its files have ${total} bytes, the limit is ${LIMITS.config_tree_bytes}`);
  }
  return files;
}

function pathProblem(path: string): string | undefined {
  if (Buffer.byteLength(path) > PATH_BYTES) return `is longer than ${PATH_BYTES} bytes`;
  if (CONTROLS.test(path)) return 'has a control character in its name';
  const parts = path.split('/');
  if (parts.length > DEPTH) return `is deeper than ${DEPTH} folders`;
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    return 'is not a plain path';
  }
  // As git itself compares it for other systems' file systems.
  if (parts.some((part) => /^\.git(?:[ .].*)?$|^git~1$/i.test(part))) return 'is named .git';
  return undefined;
}

function refused(problem: string): HiveError {
  return new HiveError('invalid_config', `the config tree is refused: ${problem}`);
}
