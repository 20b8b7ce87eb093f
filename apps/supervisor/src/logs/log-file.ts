import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

/** Size at which a log file is put aside, in bytes. */
const ROTATE_AT_BYTES = 10 * 1024 * 1024;
/** Older log files that are kept: `<name>.1` is the newest. */
const KEPT = 3;
/** Of the file that becomes the next log. */
const NEXT = '.next';

/**
 * A log file that is put aside when it has grown large. Nothing that fails ends the process: lines that cannot be written
 * are lost, and a file that cannot be put aside is written on.
 */
export class LogFile {
  private fd: number | undefined;
  private bytes = 0;
  private broken = false;

  /** `onTrouble` is told once when lines cannot be written; the hive goes on without them. */
  constructor(
    readonly path: string,
    private readonly onTrouble: (error: Error) => void,
    private readonly rotateAtBytes = ROTATE_AT_BYTES,
  ) {}

  write(chunk: Buffer | string): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    try {
      const fd = this.openFor(bytes.length);
      for (let at = 0; at < bytes.length;) {
        const written = writeSync(fd, bytes, at);
        at += written;
        this.bytes += written;
      }
      this.broken = false;
    } catch (error) {
      if (!this.broken) this.onTrouble(error as Error);
      this.broken = true;
    }
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  /** The file that takes the next `length` bytes. */
  private openFor(length: number): number {
    if (this.fd === undefined) {
      this.fd = openLog(this.path);
      this.bytes = fstatSync(this.fd).size;
    }
    if (this.bytes > 0 && this.bytes + length > this.rotateAtBytes) this.fd = this.rotated(this.fd);
    return this.fd;
  }

  /** The next file in place of `current`, or `current` where there is no room for another. */
  private rotated(current: number): number {
    let next: number;
    try {
      // First, so that nothing is moved when there is no room for it.
      next = openLog(`${this.path}${NEXT}`);
    } catch {
      return current;
    }
    try {
      rmSync(`${this.path}.${KEPT}`, { force: true });
      for (let age = KEPT - 1; age >= 1; age -= 1) moveAside(this.path, `.${age}`, age + 1);
      moveAside(this.path, '', 1);
      renameSync(`${this.path}${NEXT}`, this.path);
    } catch {
      closeSync(next);
      return current;
    }
    closeSync(current);
    this.bytes = 0;
    return next;
  }
}

function moveAside(log: string, suffix: string, age: number): void {
  try {
    renameSync(`${log}${suffix}`, `${log}.${age}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function openLog(path: string): number {
  return openSync(path, 'a', 0o600);
}
