import { fs } from '../platform/builtins.js';
import type { Clock } from '../time/clock.js';

/** Environment variable that every process started by a harness for its CLI carries; children inherit it. */
export const MARK_VARIABLE = 'HIVE_CLI_MARK';

/** How often it is looked whether processes are gone, in milliseconds. */
const LOOK_MS = 25;

export interface EndOptions {
  /** From SIGTERM to SIGKILL: Claude Code ends its tools' processes within 0.2 s, once seen 1.6 s. */
  graceMs: number;
  /** From the first SIGKILL until it is given up: only a process in the kernel's hands outlives this. */
  killMs: number;
  clock: Pick<Clock, 'sleep' | 'monotonic'>;
}

/** Living processes, this one excepted, whose environment holds the mark. Those of other users cannot be seen. */
export function findMarked(mark: string): number[] {
  const needle = Buffer.from(`\0${MARK_VARIABLE}=${mark}\0`);
  return others().filter((pid) => {
    try {
      // The leading NUL makes the first variable match like every other one. A zombie's environment is empty.
      const environment = fs.readFileSync(`/proc/${pid}/environ`);
      return Buffer.concat([Buffer.from('\0'), environment]).includes(needle);
    } catch {
      return false; // Gone meanwhile, or another user's.
    }
  });
}

/** Living processes of a process group. */
export function findGroup(group: number): number[] {
  return others().filter((pid) => statOf(pid)?.group === group);
}

/** What the kernel says of a living process; undefined when there is none (a zombie is none). */
export function statOf(pid: number): { group: number; started: string } | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name stands in parentheses and may hold anything, so fields are counted after the last one:
    // state, parent, group, …, and the start in clock ticks after boot as the twentieth.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return { group: Number(fields[2]), started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

function others(): number[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number);
}

/**
 * Ends all that `find` lists and everything that joins the list meanwhile, and waits until it is empty: SIGTERM first,
 * so that a CLI ends its own children, then SIGKILL. Returns how many were found at first. Throws when some will not go.
 */
export async function endProcesses(find: () => number[], options: EndOptions): Promise<number> {
  const { clock, graceMs, killMs } = options;
  const began = clock.monotonic();
  const found = find();
  const told = new Set<number>();
  for (let alive = found; alive.length > 0; alive = find()) {
    const passed = clock.monotonic() - began;
    if (passed > graceMs + killMs) {
      throw new Error(`processes ${alive.join(', ')} do not end, not even by SIGKILL`);
    }
    for (const pid of alive) {
      if (passed >= graceMs) signal(pid, 'SIGKILL');
      else if (!told.has(pid)) signal(pid, 'SIGTERM');
      told.add(pid);
    }
    await clock.sleep(LOOK_MS);
  }
  return found.length;
}

/** Sends a signal; false when there is no such process or it is another user's. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}
