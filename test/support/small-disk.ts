import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

const CHUNK_BYTES = 1024 * 1024;
const LEAST_BYTES = 512;

/** A small file system in memory, mounted over a folder, that can be filled to its last byte. */
export class SmallDisk {
  private readonly ballast: string;
  private isMounted = true;
  /** However the test ends, the mount does not stay. */
  private readonly onExit = () => this.unmount();

  private constructor(private readonly folder: string) {
    this.ballast = path.join(folder, 'ballast');
    process.once('exit', this.onExit);
  }

  /** Mounts it, or says why that is not possible here. */
  static mount(folder: string, megabytes: number): SmallDisk | string {
    if (process.geteuid?.() !== 0) return 'mounting a file system needs root';
    const size = `size=${megabytes}m,mode=0755`;
    const { status, stderr, error } = spawnSync('mount', [
      '-t',
      'tmpfs',
      '-o',
      size,
      'tmpfs',
      folder,
    ]);
    if (status === 0) return new SmallDisk(folder);
    return `a file system cannot be mounted here (${error?.message ?? String(stderr).trim()})`;
  }

  /** Takes all that is free, down to the last half kilobyte. */
  async fill(): Promise<void> {
    const file = await open(this.ballast, 'w');
    try {
      for (let bytes = CHUNK_BYTES; bytes >= LEAST_BYTES; bytes /= 2)
        await writeWhileFits(file, bytes);
    } finally {
      await file.close();
    }
  }

  free(): void {
    rmSync(this.ballast, { force: true });
  }

  unmount(): void {
    if (!this.isMounted) return;
    this.isMounted = false;
    process.off('exit', this.onExit);
    // Lazily where something still has a file open, as a process that is being killed.
    if (spawnSync('umount', [this.folder]).status !== 0) spawnSync('umount', ['-l', this.folder]);
  }
}

async function writeWhileFits(file: FileHandle, bytes: number): Promise<void> {
  const chunk = Buffer.alloc(bytes);
  try {
    for (;;) {
      const { bytesWritten } = await file.write(chunk);
      if (bytesWritten < bytes) return;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
