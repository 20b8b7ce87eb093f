import { assertBody, HiveError } from '#libs/protocol';

/**
 * Options and words of one's own as one answer, joined by ", ". Throws when several are given where one is asked for,
 * when a part is empty, and when the whole is no message's body.
 */
export function answerText(answer: string | readonly string[], multi: boolean): string {
  const parts = typeof answer === 'string' ? [answer] : answer;
  if (parts.length > 1 && !multi) {
    throw new HiveError(
      'invalid_request',
      `the question takes one answer, not ${parts.length}; choose one, or write your own words as one text`,
    );
  }
  if (parts.length === 0 || parts.some((part) => part.trim() === '')) {
    throw new HiveError(
      'invalid_request',
      'answer is empty; give an option or words of your own, and no empty text among several',
    );
  }
  const text = parts.join(', ');
  assertBody(text, 'answer');
  return text;
}
