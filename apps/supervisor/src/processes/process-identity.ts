import { readFileSync, readlinkSync } from 'node:fs';

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  pid: number;
  /** When it was started, in clock ticks since the machine was; with the boot it names one process for ever. */
  start: string;
  /** Of the machine, and the PID namespace in which the number counts. */
  boot: string;
}

/** What stands in field 3 of /proc/PID/stat for a process that has ended but was not yet taken leave of. */
const ZOMBIE = 'Z';

/** The identity of a process that runs now; undefined when there is none, or on a system without /proc. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  try {
    const fields = statFields(pid);
    if (fields[0] === ZOMBIE) return undefined;
    return { pid, start: fields[19] ?? '', boot: currentBoot() };
  } catch {
    return undefined;
  }
}

/** Whether exactly this process still runs. */
export function stillRuns(identity: ProcessIdentity): boolean {
  const now = identityOf(identity.pid);
  return now?.start === identity.start && now.boot === identity.boot;
}

/** What `boot` is for processes seen from here. */
export function currentBoot(): string {
  const id = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${id} ${readlinkSync('/proc/self/ns/pid')}`;
}

/** Fields of /proc/PID/stat from the third on; the second, the program's name, may hold anything. */
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
