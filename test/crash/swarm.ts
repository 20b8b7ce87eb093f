import path from 'node:path';

import type { AgentRecord } from '#libs/protocol';

import { ApiRefusal, CLONE, type RunningHive } from '../support/hive.js';
import type { Stage } from './stage.js';
import { until } from './time.js';

/** Receives the probes of faults that concern the whole hive, and broadcasts. */
export const PROBED = 'probe';
/** The bots' program, as it stands in their command line. */
export const BOT = 'test/crash/bot/bot.mjs';

/** Agents are made by so many requests at once. */
const AT_ONCE = 4;
/** Until every harness of the swarm runs, in milliseconds. */
const RUNNING_MS = 180_000;
/** Out of the way: it is the faults that are tested, not the limits. */
const NO_LIMITS = {
  sends_per_minute: 100_000,
  send_burst: 10_000,
  inbox: 100_000,
  reminders_pending: 10_000,
  reminders_per_hour: 100_000,
  reminder_burst: 10_000,
};
/** Quiet windows of the agents, in milliseconds, in turn. */
const QUIET_WINDOWS = [0, 100, 250];

/** Names of `count` agents that talk to each other, and of the one that is probed. */
export function namesOf(count: number): string[] {
  return [...Array.from({ length: count }, (_, n) => `a${n + 1}`), PROBED];
}

/** Makes the agents and waits until all of them run. */
export async function makeSwarm(
  hive: RunningHive,
  stage: Stage,
  names: readonly string[],
  seed: number,
): Promise<void> {
  const waiting = names.map((name, index) => ({ name, index }));
  const make = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const config = {
        driver: 'command',
        command: ['node', path.join(CLONE, BOT)],
        env: {
          CRASH_DIR: stage.witness,
          CRASH_SEED: String(seed),
          CRASH_AGENTS: String(names.length - 1),
        },
        quiet_window_ms: QUIET_WINDOWS[next.index % QUIET_WINDOWS.length],
        limits: NO_LIMITS,
      };
      await hive.api('POST', '/api/agents', { name: next.name, config });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, make));
  const notRunning = new Set(names);
  const allRun = await until(
    async () => {
      for (const name of notRunning) {
        if (!(await isRunning(hive, name))) return false;
        notRunning.delete(name);
      }
      return true;
    },
    RUNNING_MS,
    500,
  );
  if (!allRun) throw new Error(`these agents did not start: ${[...notRunning].join(', ')}`);
}

async function isRunning(hive: RunningHive, name: string): Promise<boolean> {
  try {
    const { agent } = await hive.api<{ agent: AgentRecord }>('GET', `/api/agents/${name}`);
    return agent.state === 'running';
  } catch (error) {
    if (error instanceof ApiRefusal && error.status === 503) return false; // It is being made.
    throw error;
  }
}
