import { HiveError } from '#libs/protocol';

/** Characters of a reminder's file path. */
export const FILE_PATH_CHARS = 200;

// oxlint-disable-next-line no-control-regex -- these are what is refused
const UNREADABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/** Throws unless `path` may name a file below an agent's state folder (P23). */
export function assertFilePath(path: string): void {
  const problem = problemOf(path);
  if (problem === undefined) return;
  throw new HiveError(
    'invalid_request',
    `file_path ${problem}; give a path below your state folder, like "reminders/report.md"`,
  );
}

function problemOf(path: string): string | undefined {
  if (path.length === 0 || path.length > FILE_PATH_CHARS)
    return `must be 1 to ${FILE_PATH_CHARS} characters`;
  if (!path.isWellFormed() || UNREADABLE.test(path))
    return 'holds a control character or half of a UTF-16 pair';
  if (path.startsWith('/')) return 'is absolute';
  const parts = path.split('/');
  if (parts.includes('..')) return 'climbs with ".."';
  if (parts.includes('') || parts.includes('.') || path.endsWith('/'))
    return 'has an empty part or "."';
  return undefined;
}
