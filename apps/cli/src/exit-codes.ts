/** Exit codes of `hive` (INTERFACES "Commands"). */
export const EXIT = { ok: 0, failed: 1, usage: 2, notRunning: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with a message for the operator and its exit code. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    /** Code of the hive's refusal, or what went wrong here. */
    readonly code: string = 'failed',
    readonly details?: unknown,
  ) {
    super(message);
  }
}
