import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { identityOf, stillRuns, type ProcessIdentity } from '../processes/process-identity.js';
import { writeAtomically } from './atomic-file.js';

/** How long services of an earlier run may take to end by themselves; their own bound is 10 s. */
const END_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 100;
const PRIVATE = 0o600;

interface LedgerEntry extends ProcessIdentity {
  name: string;
}

/**
 * The processes that this supervisor started, on disk: when it is killed, the next start finds what is still there.
 * Agents are not in it, they outlive the services and belong to c0re (P28).
 */
export class ProcessLedger {
  private readonly file: string;
  private entries: LedgerEntry[] = [];

  constructor(home: string) {
    this.file = path.join(home, 'run', 'processes.json');
  }

  /** In memory only: `write` puts it on disk. */
  add(name: string, pid: number): void {
    const identity = identityOf(pid);
    if (!identity) return;
    this.entries = [...this.entries.filter((entry) => stillRuns(entry)), { name, ...identity }];
  }

  /** @throws Error of the file system, as on a full disk. */
  write(): void {
    writeAtomically(this.file, `${JSON.stringify(this.entries)}\n`, PRIVATE);
  }

  remove(): void {
    rmSync(this.file, { force: true });
  }

  /** Waits until what an earlier supervisor left has ended, and ends what does not. `onWait` is told once if it waits. */
  async endLeftovers(onWait: (names: string[]) => void, withinMs = END_WITHIN_MS): Promise<void> {
    let left = readEntries(this.file).filter((entry) => stillRuns(entry));
    if (left.length > 0) onWait(left.map((entry) => entry.name));
    // Redis may have missed the death of its supervisor; the others notice by their IPC channel.
    for (const entry of left) if (entry.name === 'redis') signal(entry, 'SIGTERM');
    for (let waited = 0; left.length > 0 && waited < withinMs; waited += LOOK_EVERY_MS) {
      await sleep(LOOK_EVERY_MS);
      left = left.filter((entry) => stillRuns(entry));
    }
    for (const entry of left) signal(entry, 'SIGKILL');
    while (left.some((entry) => stillRuns(entry))) await sleep(LOOK_EVERY_MS);
    this.remove();
  }
}

function signal(entry: LedgerEntry, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    if (stillRuns(entry)) process.kill(entry.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function readEntries(file: string): LedgerEntry[] {
  try {
    const entries: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(entries) ? (entries as LedgerEntry[]) : [];
  } catch {
    return [];
  }
}
