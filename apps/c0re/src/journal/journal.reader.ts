import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';

/** Bytes read from the end of a log at most. */
const MOST_BYTES = 262_144;
/** Characters of one line that are shown. */
const LINE_CHARS = 4000;
/** A log past this size is cut: its harness holds it open, so it cannot be moved. */
const LOG_BYTES = 16 * 1024 * 1024;

// Terminal sequences first (CSI, OSC, other escapes), then every control character that is left but the tab.
const ESCAPES =
  // oxlint-disable-next-line no-control-regex -- these are the characters to remove
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[@-_]?/g;
// oxlint-disable-next-line no-control-regex -- these are the characters to remove
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** The last `lines` lines of a log, oldest first, without control characters; none when there is no log. */
export function readJournal(file: string, lines: number): string[] {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    const { size } = fstatSync(fd);
    const length = Math.min(size, MOST_BYTES);
    const buffer = Buffer.alloc(length);
    const read = readSync(fd, buffer, 0, length, size - length);
    const all = buffer.subarray(0, read).toString('utf8').split('\n');
    if (size > length) all.shift();
    if (all.at(-1) === '') all.pop();
    return all.slice(-lines).map(cleanLine);
  } finally {
    closeSync(fd);
  }
}

/** Cuts every log in the folder that grew past its bound down to its last part. */
export function cutLongLogs(folder: string): void {
  for (const name of readdirSync(folder).filter((entry) => entry.endsWith('.log'))) {
    const fd = openSync(
      path.join(folder, name),
      constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW,
    );
    try {
      const { size } = fstatSync(fd);
      if (size <= LOG_BYTES) continue;
      const tail = Buffer.alloc(MOST_BYTES);
      readSync(fd, tail, 0, MOST_BYTES, size - MOST_BYTES);
      ftruncateSync(fd, 0);
      writeSync(fd, tail);
    } finally {
      closeSync(fd);
    }
  }
}

function cleanLine(line: string): string {
  const clean = line.replace(ESCAPES, '').replace(CONTROLS, '');
  return clean.length <= LINE_CHARS ? clean : `${clean.slice(0, LINE_CHARS - 1)}…`;
}
