import { HiveError } from '#libs/protocol';
import type { Clock } from '#libs/service';

/** Pause before a service that is away is asked again, in milliseconds. */
const PAUSE_MS = 100;

/** Codes of a service that stops, is gone, or does not know whether its commit is on disk. */
const AWAY: ReadonlySet<string> = new Set(['unavailable', 'outcome_unknown']);

/**
 * Runs `attempt` again while it fails with `unavailable` or `outcome_unknown`, for at most `patienceMs`; the last failure is thrown.
 * Only for what may be carried out twice.
 */
export async function repeatWhileAway<T>(
  clock: Clock,
  patienceMs: number,
  attempt: (leftMs: number) => Promise<T>,
): Promise<T> {
  const deadline = clock.monotonic() + patienceMs;
  for (;;) {
    try {
      return await attempt(Math.max(0, deadline - clock.monotonic()));
    } catch (error) {
      const isAway = error instanceof HiveError && AWAY.has(error.code);
      if (!isAway || clock.monotonic() + PAUSE_MS >= deadline) throw error;
      await new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve));
    }
  }
}
