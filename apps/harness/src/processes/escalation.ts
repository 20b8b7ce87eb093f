import type { InterruptReason } from '../drivers/turn-driver.js';
import type { Clock } from '../time/clock.js';

/** How long each gentler way of ending a turn may take before the next one, in milliseconds. */
interface Patience {
  interruptMs: number;
  terminateMs: number;
}
const PATIENCE: Record<InterruptReason, Patience> = {
  // Claude Code answers an interrupt within 0.3 s on a busy machine and SIGTERM within 1.6 s.
  cancelled: { interruptMs: 5000, terminateMs: 3000 },
  timed_out: { interruptMs: 5000, terminateMs: 3000 },
  superseded: { interruptMs: 2000, terminateMs: 2000 },
  // Whoever stops the harness waits for it.
  stopped: { interruptMs: 2000, terminateMs: 2000 },
};

export interface Escalation {
  interrupt(): void;
  terminate(): void;
  kill(): void;
}

/** Ends something by ever stronger means until `ended` settles; returns when the last one was used or it ended. */
export async function escalate(
  reason: InterruptReason,
  by: Escalation,
  ended: Promise<unknown>,
  clock: Pick<Clock, 'sleep'>,
): Promise<void> {
  const stop = new AbortController();
  void ended.finally(() => stop.abort());
  const { interruptMs, terminateMs } = PATIENCE[reason];
  by.interrupt();
  await clock.sleep(interruptMs, stop.signal);
  if (stop.signal.aborted) return;
  by.terminate();
  await clock.sleep(terminateMs, stop.signal);
  if (!stop.signal.aborted) by.kill();
}
