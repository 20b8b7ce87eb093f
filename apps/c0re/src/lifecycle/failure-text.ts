import { clip } from '#libs/protocol';

/** Characters of a failure that are kept: it is shown in tables. */
const FAILURE_CHARS = 500;

/** What went wrong, as one line for people. */
export function failureText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  // oxlint-disable-next-line no-control-regex -- programs' messages may hold terminal sequences
  return clip(text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim(), FAILURE_CHARS);
}
