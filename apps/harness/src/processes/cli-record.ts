import { removeDurably, writeDurably } from '../files/durable-file.js';
import { fs } from '../platform/builtins.js';
import { statOf } from './marked-processes.js';

/** A process that can be told from a later one with the same pid. */
interface Recorded {
  pid: number;
  /** Its start in clock ticks after boot, from /proc. */
  started: string;
}

/** The running CLI on disk, so that the next harness finds it even if it dropped its mark (P4). */
export class CliRecord {
  constructor(private readonly file: string) {}

  write(pid: number): void {
    const started = statOf(pid)?.started;
    if (started !== undefined) writeDurably(this.file, JSON.stringify({ pid, started }));
  }

  clear(): void {
    removeDurably(this.file);
  }

  /** Pid of the recorded CLI while it lives. */
  living(): number | undefined {
    let recorded: Recorded;
    try {
      recorded = JSON.parse(fs.readFileSync(this.file, 'utf8')) as Recorded;
    } catch {
      return undefined;
    }
    return statOf(recorded.pid)?.started === recorded.started ? recorded.pid : undefined;
  }
}
