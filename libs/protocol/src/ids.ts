/**
 * Ids on the wire are strings with a letter that tells what they name, over an integer of the single writer:
 * `m12` a message, `t7` a turn, `q3` a question, `r5` a reminder,
 * `o9` an operation, `a4` an approval. Order comes from the integer, never from a clock (P9).
 */
export type IdKind = 'm' | 't' | 'c' | 'o' | 'q' | 'r' | 'a';

/** The wire id of row `n`. */
export function formatId(kind: IdKind, n: number): string {
  return `${kind}${n}`;
}

/** The row number of a wire id, or undefined when it is not one of that kind. */
export function parseId(kind: IdKind, id: string): number | undefined {
  const match = /^([a-z])([1-9]\d{0,14})$/.exec(id);
  return match && match[1] === kind ? Number(match[2]) : undefined;
}

/** Wire id of one delivery: its message, and its recipient's incarnation (0 the operator): `m12.3`. */
export function formatDeliveryId(message: number, recipient: number): string {
  return `${formatId('m', message)}.${recipient}`;
}

/** Message and recipient of a delivery's wire id, or undefined when it is not one. */
export function parseDeliveryId(id: string): { message: number; recipient: number } | undefined {
  const [first = '', second = '', ...rest] = id.split('.');
  const message = parseId('m', first);
  if (message === undefined || rest.length > 0 || !/^(0|[1-9]\d{0,14})$/.test(second))
    return undefined;
  return { message, recipient: Number(second) };
}
