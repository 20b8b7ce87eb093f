import { HiveError } from '#libs/protocol';

/** The HiveError with which `work` was refused; anything else fails the test. */
export async function refusal(work: Promise<unknown>): Promise<HiveError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof HiveError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}
