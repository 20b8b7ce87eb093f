import type { Readable } from 'node:stream';

/** A line longer than this is cut into pieces of this many bytes. */
const MOST_LINE_BYTES = 32 * 1024 * 1024;

/** Calls `onLine` for each line of the stream, the last one too when it has no newline, and `onBytes` for each chunk. */
export function readLines(
  stream: Readable,
  onLine: (line: string) => void,
  onBytes: (bytes: number) => void = () => {},
): void {
  let rest: Buffer[] = [];
  let restBytes = 0;
  const take = (piece: Buffer) => {
    const line = restBytes === 0 ? piece : Buffer.concat([...rest, piece]);
    rest = [];
    restBytes = 0;
    onLine(line.toString('utf8'));
  };
  stream.on('data', (chunk: Buffer) => {
    onBytes(chunk.length);
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      take(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) {
      rest.push(chunk.subarray(start));
      restBytes += chunk.length - start;
      if (restBytes > MOST_LINE_BYTES) take(Buffer.alloc(0));
    }
  });
  stream.on('error', () => {});
  stream.on('close', () => {
    if (restBytes > 0) take(Buffer.alloc(0));
  });
}
