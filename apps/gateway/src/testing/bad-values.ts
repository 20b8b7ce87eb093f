/** What one field of a tool takes, as far as the gateway checks it; the rest is the broker's to check. */
export interface FieldCase {
  required: boolean;
  /** Values that are taken: limits, one below and at. */
  good: unknown[];
  /** Values that are refused: wrong types, one above. */
  bad: unknown[];
}

const NO_TEXT = [null, true, 7, {}, [], ['x']];
/** Every kind of number that is no whole number within any limit, or cannot be told from another one. */
const HUGE = [1.5, 1e308, -1e308, 2 ** 53, -(2 ** 53)];

/** Characters that are kept as they are: marks that turn text around, zero-width ones, a pair of surrogates. */
export const ODD_TEXT = 'a\u202eb\u200fc\u2066d\u200b\u{1f41d}\u0301';

export function text({ required = true, chars }: { required?: boolean; chars?: number } = {}) {
  const limits = chars === undefined ? [] : [chars - 1, chars].map((size) => 'x'.repeat(size));
  return {
    required,
    good: ['x', ODD_TEXT, ...limits],
    bad: [...NO_TEXT, ...(chars === undefined ? [] : ['', 'x'.repeat(chars + 1)])],
  };
}

export function whole(least: number, most: number, required = false): FieldCase {
  return {
    required,
    good: [least, least + 1, most - 1, most],
    bad: [null, true, String(least), [least], {}, least - 1, most + 1, ...HUGE],
  };
}

export function choice(values: readonly string[]): FieldCase {
  const [first = ''] = values;
  return {
    required: false,
    good: [...values],
    bad: [...NO_TEXT, '', first.toUpperCase(), `${first} `, [first]],
  };
}

function list(size: number): string[] {
  return Array.from({ length: size }, (_, n) => `x${n}`);
}

/** A list of `least` to `most` texts of 1 to `chars` characters. */
export function texts(
  least: number,
  most: number,
  { required = false, chars }: { required?: boolean; chars?: number } = {},
): FieldCase {
  const sizes = [...new Set([least, least + 1, most - 1, most])];
  return {
    required,
    good: [
      ...sizes.map(list),
      ...(chars === undefined ? [] : [['x'.repeat(chars - 1), 'y'.repeat(chars)]]),
    ],
    bad: [
      null,
      true,
      7,
      {},
      [1],
      ['x', null],
      [['x']],
      list(most + 1),
      ...(least === 0 ? [] : [[]]),
      ...(chars === undefined ? [] : ['x', [''], ['x'.repeat(chars + 1)]]),
    ],
  };
}

/** One text or a list of 1 to `most`. */
export function textOrTexts(most: number): FieldCase {
  const one = text();
  const several = texts(1, most);
  return {
    required: true,
    good: [...one.good, ...several.good],
    bad: several.bad,
  };
}

/** For a test's title. */
export function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? 'undefined';
  return json.length <= 40 ? json : `${json.slice(0, 30)}… (${json.length})`;
}
