import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 5;

/** Settles when `holds` does; throws after `ms`. */
export async function until(ms: number, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not so after ${ms} ms`);
    await sleep(POLL_MS);
  }
}
