/**
 * Ids on the wire are strings with a letter that tells what they name, over an integer of the single writer:
 * `m12` a message, `t7` a turn. Order comes from the integer, never from a clock (P9).
 */
export type IdKind = 'm' | 't' | 'c' | 'o';

/** The wire id of row `n`. */
export function formatId(kind: IdKind, n: number): string {
  return `${kind}${n}`;
}

/** The row number of a wire id, or undefined when it is not one of that kind. */
export function parseId(kind: IdKind, id: string): number | undefined {
  const match = /^([a-z])([1-9]\d{0,14})$/.exec(id);
  return match && match[1] === kind ? Number(match[2]) : undefined;
}
