import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

export interface WalContent {
  /** Bytes of the frames since the log was last begun anew. */
  bytes: number;
  /** Commits in them; with `synchronous=FULL` each is one fsync of the log. */
  commits: number;
}

/**
 * Reads a write-ahead log (https://www.sqlite.org/fileformat2.html#walformat): frames whose salts are those of the
 * header, up to the first that is left from before; a commit's last frame carries the size of the database.
 */
export function readWal(path: string): WalContent {
  const file = openSync(path, 'r');
  try {
    const size = fstatSync(file).size;
    if (size < HEADER_BYTES) return { bytes: 0, commits: 0 };
    const header = Buffer.alloc(HEADER_BYTES);
    readSync(file, header, 0, HEADER_BYTES, 0);
    const frameBytes = FRAME_HEADER_BYTES + header.readUInt32BE(8);
    const frame = Buffer.alloc(FRAME_HEADER_BYTES);
    let bytes = 0;
    let commits = 0;
    for (let at = HEADER_BYTES; at + frameBytes <= size; at += frameBytes) {
      readSync(file, frame, 0, FRAME_HEADER_BYTES, at);
      if (!frame.subarray(8, 16).equals(header.subarray(16, 24))) break;
      bytes += frameBytes;
      if (frame.readUInt32BE(4) !== 0) commits += 1;
    }
    return { bytes, commits };
  } finally {
    closeSync(file);
  }
}
