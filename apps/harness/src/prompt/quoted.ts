import { clip } from '#libs/protocol';

/**
 * Characters that JSON leaves as they are but that a reader may take for a line end or for hidden text: DEL and C1
 * controls, the soft hyphen, marks of writing direction, zero-width characters, Unicode's line and paragraph separators.
 */
const UNSEEN =
  /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]/g;

/** Foreign text as it may stand in a header line: JSON-quoted, at most `most` characters, nothing unseen in it (P33). */
export function quoted(text: string, most: number): string {
  return JSON.stringify(clip(text, most)).replaceAll(
    UNSEEN,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A name that came from the hive: as it is when it has the shape of one, else quoted. */
export function nameOf(name: string): string {
  return /^[a-z0-9*][a-z0-9:-]{0,64}$/.test(name) ? name : quoted(name, 64);
}
