import { readFileSync, rmSync } from 'node:fs';

import type { ResultRow } from './report.js';
import { until } from './until.js';

/** File, in the folder of its databases, that the benchmark's broker writes on SIGUSR2. */
export const DELAY_FILE = 'loop-delay.json';

/** Milliseconds that the event loop was late. */
export interface LoopDelay {
  p50: number;
  p99: number;
  max: number;
}

/** The event loop's delay in each of several loads. */
export class LoopDelays {
  private readonly runs = new Map<string, number[]>();

  constructor(
    private readonly pid: number,
    private readonly file: string,
  ) {}

  async begin(): Promise<void> {
    await takeLoopDelay(this.pid, this.file);
  }

  async end(load: string): Promise<void> {
    const { p99 } = await takeLoopDelay(this.pid, this.file);
    const others = this.runs.get(load);
    if (others) others.push(p99);
    else this.runs.set(load, [p99]);
  }

  rows(): ResultRow[] {
    return [...this.runs].map(([load, p99]) => ({
      target: 'loop',
      what: `delay of the broker's event loop, p99: ${load}`,
      value: Math.min(...p99),
      unit: 'ms',
      goal: { at: 'most', value: 25 },
      runs: p99,
    }));
  }
}

/** How late the broker's event loop was since the last look, and begins anew. */
async function takeLoopDelay(pid: number, file: string): Promise<LoopDelay> {
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  let delay: LoopDelay | undefined;
  await until(5000, () => {
    try {
      delay = JSON.parse(readFileSync(file, 'utf8')) as LoopDelay;
    } catch {
      return false;
    }
    return true;
  });
  if (!delay) throw new Error('the broker told no delay');
  return delay;
}
