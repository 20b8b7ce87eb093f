import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { identityOf, stillRuns, type ProcessIdentity } from '../processes/process-identity.js';

/** How long a leftover may take to end after SIGTERM, and after SIGKILL, in milliseconds. */
const TERM_MS = 2_000;
const KILL_MS = 5_000;
const LOOK_EVERY_MS = 50;

/**
 * Ends whatever of the agents is left when the hive has stopped: nothing, unless c0re could not do its work. They are
 * known by the folder below `home` in their environment; by their user they could be taken for those of a container of
 * the machine, whose users may have the same numbers. Returns how many processes there were.
 */
export async function endAgentLeftovers(home: string): Promise<number> {
  const found = agentProcesses(home);
  if (found.length === 0) return 0;
  await endAll(found, 'SIGTERM', TERM_MS);
  await endAll(agentProcesses(home), 'SIGKILL', KILL_MS);
  return found.length;
}

/** SIGKILL for all of them, without waiting. */
export function killAgents(home: string): void {
  for (const one of agentProcesses(home)) signal(one, 'SIGKILL');
}

function agentProcesses(home: string): ProcessIdentity[] {
  return processIds()
    .filter((pid) => pid !== process.pid && livesIn(pid, home))
    .map(identityOf)
    .filter((identity) => identity !== undefined);
}

function livesIn(pid: number, home: string): boolean {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return variables.some((variable) => variable.startsWith(`HIVE_STATE_DIR=${home}/agents/`));
  } catch {
    return false; // Another user's process, or one that has just ended.
  }
}

function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

async function endAll(
  processes: readonly ProcessIdentity[],
  name: 'SIGTERM' | 'SIGKILL',
  withinMs: number,
): Promise<void> {
  for (const one of processes) signal(one, name);
  for (let waited = 0; waited < withinMs && processes.some(stillRuns); waited += LOOK_EVERY_MS) {
    await sleep(LOOK_EVERY_MS);
  }
}

function signal(one: ProcessIdentity, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    if (stillRuns(one)) process.kill(one.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
