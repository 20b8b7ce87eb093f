/** How the harness ended, for whoever started it. A signal or any other code is a crash. */
export const EXIT = {
  /** Asked to stop, and everything it started is gone. */
  stopped: 0,
  /** Something broke that it cannot go on after; the log says what. */
  broken: 1,
  /** Its environment or configuration cannot work: starting it again unchanged is useless. */
  misconfigured: 2,
  /** A newer instance of this agent's harness speaks to the hive (P4). */
  superseded: 10,
} as const;
