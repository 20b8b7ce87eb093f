import { readdirSync, readFileSync } from 'node:fs';

/** One line of the machine's process table. */
export interface ProcessEntry {
  pid: number;
  /** `R`, `S`, `D`, `T`, `Z` (dead, not reaped), `X` … */
  state: string;
  parent: number;
  group: number;
  session: number;
  /** Clock ticks from boot to its start: with the pid it names the process for ever. */
  startTicks: number;
}

/** One process, or undefined when there is none of that id. */
export function readProcess(pid: number): ProcessEntry | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field is the name in brackets, which may itself hold brackets and spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    state: fields[0] ?? '?',
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    startTicks: Number(fields[19]),
  };
}

/** Neither a zombie nor dead. A zombie answers to kill(pid, 0), so that proves nothing. */
export function isLiving(entry: ProcessEntry): boolean {
  return entry.state !== 'Z' && entry.state !== 'X';
}

/** All processes that lived at one instant. */
export class ProcessScan {
  readonly living: readonly ProcessEntry[];
  private readonly marks = new Map<number, string | undefined>();
  private readonly userIds = new Map<number, string[]>();

  /** @param variable the environment variable that `mark` reads */
  constructor(private readonly variable: string) {
    this.living = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => readProcess(Number(name)))
      .filter((entry) => entry !== undefined)
      .filter(isLiving);
  }

  /** The process's mark, read once however many ask. */
  mark(pid: number): string | undefined {
    if (!this.marks.has(pid)) this.marks.set(pid, environmentOf(pid, this.variable));
    return this.marks.get(pid);
  }

  /** Its user ids: real, effective, saved, file system. */
  users(pid: number): readonly string[] {
    const known = this.userIds.get(pid) ?? usersOf(pid);
    this.userIds.set(pid, known);
    return known;
  }
}

/** Hands out scans; all who ask in one turn of the event loop share one, taken after the last of them asked. */
export class ProcessScanner {
  private next: Promise<ProcessScan> | undefined;

  constructor(private readonly variable: string) {}

  scan(): Promise<ProcessScan> {
    this.next ??= new Promise((resolve) => {
      setImmediate(() => {
        this.next = undefined;
        resolve(new ProcessScan(this.variable));
      });
    });
    return this.next;
  }
}

/** Value of a variable in the environment that the process was started with; undefined when unset or not readable. */
export function environmentOf(pid: number, variable: string): string | undefined {
  try {
    const prefix = `${variable}=`;
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
      .split('\0')
      .find((entry) => entry.startsWith(prefix))
      ?.slice(prefix.length);
  } catch {
    return undefined;
  }
}

/** The process's real, effective, saved and file-system user id. */
function usersOf(pid: number): string[] {
  try {
    const line = /^Uid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '';
    return line.split(/\s+/);
  } catch {
    return [];
  }
}

/** Names this run of the machine: after a reboot every recorded process is gone. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}
