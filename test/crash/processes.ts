import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import type { RunningHive } from '../support/hive.js';

const HARNESS = 'apps/harness/src/main.js';

/** A process, told from a later one with the same id by its start. */
export interface Victim {
  pid: number;
  started: string;
}

/** The process of a service as `run/hive.json` has it; undefined while it is being started again. */
export function serviceOf(hive: RunningHive, name: string): Victim | undefined {
  const service = hive.file()?.services.find((each) => each.name === name);
  return service?.state === 'running' ? victim(service.pid) : undefined;
}

/** The harnesses that run in this hive, by agent: what bears its agents' folders in its environment. */
export function harnessesOf(home: string): Map<string, Victim> {
  const prefix = `HIVE_STATE_DIR=${path.join(home, 'agents')}${path.sep}`;
  const found = new Map<string, Victim>();
  for (const pid of allPids()) {
    if (!read(`/proc/${pid}/cmdline`).includes(HARNESS)) continue;
    const line = read(`/proc/${pid}/environ`)
      .split('\0')
      .find((each) => each.startsWith(prefix));
    const agent = line?.slice(prefix.length).split(path.sep)[0];
    const process = victim(pid);
    if (agent !== undefined && process) found.set(agent, process);
  }
  return found;
}

/** What the harness runs now: a child whose command line holds `program`. */
export function cliOf(harness: Victim, program: string): Victim | undefined {
  const { pid } = harness;
  return read(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter(Boolean)
    .map(Number)
    .filter((child) => read(`/proc/${child}/cmdline`).includes(program))
    .map(victim)
    .find((child) => child !== undefined);
}

/** Sends a signal to exactly this process; false when it is gone. */
export function signal({ pid, started }: Victim, name: NodeJS.Signals): boolean {
  if (victim(pid)?.started !== started) return false;
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

export function isAlive({ pid, started }: Victim): boolean {
  return victim(pid)?.started === started;
}

function victim(pid: number): Victim | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // After the command's name, which may hold anything: state, parent, … and the start as the twentieth.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const started = fields[19];
  return started === undefined || fields[0] === 'Z' ? undefined : { pid, started };
}

function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // Gone meanwhile, or another user's.
  }
}
