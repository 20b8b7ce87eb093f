/** The hive cannot start as things are; the message says what is wrong and what to do, and nothing was started. */
export class StartRefusedError extends Error {
  override readonly name = 'StartRefusedError';
}
