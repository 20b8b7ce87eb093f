/** Thrown by a handler whose job came too early, or cannot be done now: the job is put back for `ms`, no attempt is lost. */
export class AgainLaterError extends Error {
  override readonly name = 'AgainLaterError';
  constructor(
    readonly ms: number,
    why: string,
  ) {
    super(why);
  }
}
