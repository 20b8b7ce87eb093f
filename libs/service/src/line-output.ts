import { writeSync } from 'node:fs';

/** How often, and with which pause, a full pipe is tried again before its line is given up. */
const TRIES = 50;
const PAUSE_MS = 5;

/**
 * Writes lines to an open file, pipe or terminal, in order and at once. Never throws: what cannot be written, on a full
 * disk or to a reader that is gone, is lost, and the process goes on. After it comes a line that says how many are missing.
 */
export class LineOutput {
  private lost = 0;
  /** The last line was cut by what stopped it. */
  private torn = false;

  /** `lossOf` is the line, without its end, that stands for so many lost ones. */
  constructor(
    private readonly fd: number,
    private readonly lossOf: (count: number) => string,
  ) {}

  /** `line` with its line end. */
  write(line: string): void {
    const note = this.lost === 0 ? '' : `${this.lossOf(this.lost)}\n`;
    if (!this.put(`${this.torn ? '\n' : ''}${note}${line}`)) {
      this.lost += 1;
      return;
    }
    this.lost = 0;
    this.torn = false;
  }

  private put(text: string): boolean {
    const bytes = Buffer.from(text);
    let written = 0;
    for (let tries = 0; written < bytes.length && tries < TRIES; tries += 1) {
      try {
        written += writeSync(this.fd, bytes, written);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') break;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
      }
    }
    if (written > 0) this.torn = written < bytes.length;
    return written === bytes.length;
  }
}
