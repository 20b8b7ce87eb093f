import { LIMITS } from '#libs/protocol';

/** Longest back-off in milliseconds (P13). */
export const BACK_OFF_MOST_MS = LIMITS.back_off_most_seconds * 1000;

/** Hand-outs without an end before a delivery that keeps killing its harness is backed off. */
const FREE_HAND_OUTS = 3;

/** Back-off after the `n`th failure in a row, in milliseconds: 5 s, doubling to 10 min. */
export function backOffMs(n: number): number {
  if (n <= 0) return 0;
  return Math.min(LIMITS.back_off_first_seconds * 1000 * 2 ** (n - 1), BACK_OFF_MOST_MS);
}

/**
 * Back-off of what woke a turn whose harness was lost, in milliseconds: a restart redelivers at once, a delivery that
 * ends its harness again and again waits longer each time (EXECUTIONS H20).
 */
export function crashBackOffMs(handOuts: number): number {
  return backOffMs(handOuts - FREE_HAND_OUTS);
}
