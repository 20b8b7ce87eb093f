import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

/** Size at which a log file is put aside, in bytes. */
const ROTATE_AT_BYTES = 10 * 1024 * 1024;
/** Older log files that are kept: `<name>.1` is the newest. */
const KEPT = 3;

/** A log file that is put aside when it has grown large. */
export class LogFile {
  private fd: number;
  private bytes: number;
  private broken = false;

  /** `onTrouble` is told once when lines cannot be written; the hive goes on without them. */
  constructor(
    readonly path: string,
    private readonly onTrouble: (error: Error) => void,
    private readonly rotateAtBytes = ROTATE_AT_BYTES,
  ) {
    this.fd = openLog(path);
    this.bytes = fstatSync(this.fd).size;
  }

  write(chunk: Buffer | string): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    try {
      if (this.bytes + bytes.length > this.rotateAtBytes && this.bytes > 0) this.rotate();
      writeSync(this.fd, bytes);
      this.bytes += bytes.length;
      this.broken = false;
    } catch (error) {
      if (!this.broken) this.onTrouble(error as Error);
      this.broken = true;
    }
  }

  close(): void {
    closeSync(this.fd);
  }

  private rotate(): void {
    rmSync(`${this.path}.${KEPT}`, { force: true });
    for (let age = KEPT - 1; age >= 1; age -= 1) moveAside(`${this.path}.${age}`, age + 1);
    moveAside(this.path, 1);
    closeSync(this.fd);
    this.fd = openLog(this.path);
    this.bytes = 0;
  }
}

function moveAside(file: string, age: number): void {
  try {
    renameSync(file, `${file.replace(/\.\d+$/, '')}.${age}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function openLog(path: string): number {
  return openSync(path, 'a', 0o600);
}
