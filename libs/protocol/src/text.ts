import { HiveError } from './errors.js';
import { LIMITS } from './limits.js';

/** UTF-8 length of a string in bytes. */
export function utf8Bytes(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** Throws unless `text` is storable: no NUL and no lone surrogate (P33). `what` names it in the message. */
export function assertStorableText(text: string, what: string): void {
  if (text.includes('\0')) {
    throw new HiveError('invalid_request', `${what} holds a NUL character; remove it`);
  }
  if (!text.isWellFormed()) {
    throw new HiveError(
      'invalid_request',
      `${what} holds a lone surrogate (half of a UTF-16 pair); send well-formed Unicode`,
    );
  }
}

/**
 * Throws unless `body` may be a message's body: not empty, storable, within 4096 bytes (PRODUCT 1.1). `what` names it in
 * the message.
 */
export function assertBody(body: string, what = 'body'): void {
  if (body.length === 0)
    throw new HiveError('invalid_request', `${what} is empty; write what you want to say`);
  assertStorableText(body, what);
  const bytes = utf8Bytes(body);
  if (bytes > LIMITS.body_bytes) {
    throw new HiveError(
      'body_too_long',
      `${what} is ${bytes} bytes of UTF-8, the limit is ${LIMITS.body_bytes}; put the text in a file under your state folder or the shared space and send its path`,
      { bytes, limit: LIMITS.body_bytes },
    );
  }
}

/** Milliseconds since 1970 as ISO 8601 with milliseconds in UTC, the one form of a time on every wire. */
export function isoTime(ms: number): string {
  // Many rows of one answer carry the same time, and writing it takes longer than anything else of a row.
  if (ms !== lastIso.ms) lastIso = { ms, text: new Date(ms).toISOString() };
  return lastIso.text;
}
let lastIso = { ms: 0, text: new Date(0).toISOString() };

/** `text` cut to `most` characters, with a mark when something was left out. */
export function clip(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(0, most - 1)).toWellFormed()}…`;
}

/**
 * Characters that JSON leaves as they are but that a reader may take for a line end or for hidden text: DEL and C1
 * controls, the soft hyphen, marks of writing direction, zero-width characters, Unicode's line and paragraph separators.
 */
const UNSEEN =
  /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]/g;

/** Foreign text as it may stand among the hive's own words: JSON-quoted, at most `most` characters, nothing unseen in it (P33). */
export function quoted(text: string, most: number): string {
  return JSON.stringify(clip(text, most)).replaceAll(
    UNSEEN,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
