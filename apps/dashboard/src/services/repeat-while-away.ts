import { HiveError } from '#libs/protocol';
import type { Clock } from '#libs/service';

/** Pause before a service that is away is asked again, in milliseconds. */
const PAUSE_MS = 100;

/**
 * Runs `attempt` again while it fails with `unavailable`, for at most `patienceMs`; the last failure is thrown.
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
      const isAway = error instanceof HiveError && error.code === 'unavailable';
      if (!isAway || clock.monotonic() + PAUSE_MS >= deadline) throw error;
      await new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve));
    }
  }
}
