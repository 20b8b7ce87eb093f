/** One line of a difference. */
export interface DiffLine {
  sign: '+' | '-' | ' ';
  text: string;
}

/** Longest texts that are compared line by line; longer ones are shown as removed and added. */
const MOST_CELLS = 400 * 400;

/** The lines that turn `before` into `after`: a longest common subsequence, which is enough for an edit's few lines. */
export function lineDiff(before: string, after: string): DiffLine[] {
  const a = before === '' ? [] : before.split('\n');
  const b = after === '' ? [] : after.split('\n');
  if (a.length * b.length > MOST_CELLS) {
    return [...a.map(line('-')), ...b.map(line('+'))];
  }
  const common = commonLengths(a, b);
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const [left = '', right = ''] = [a[i], b[j]];
    if (left === right) {
      lines.push({ sign: ' ', text: left });
      i += 1;
      j += 1;
    } else if (at(common, i + 1, j) >= at(common, i, j + 1)) {
      lines.push({ sign: '-', text: left });
      i += 1;
    } else {
      lines.push({ sign: '+', text: right });
      j += 1;
    }
  }
  return [...lines, ...a.slice(i).map(line('-')), ...b.slice(j).map(line('+'))];
}

function line(sign: DiffLine['sign']): (text: string) => DiffLine {
  return (text) => ({ sign, text });
}

function at(table: readonly number[][], i: number, j: number): number {
  return table[i]?.[j] ?? 0;
}

/** Length of the longest common subsequence of `a` from i and `b` from j. */
function commonLengths(a: readonly string[], b: readonly string[]): number[][] {
  const table = Array.from({ length: a.length + 1 }, () =>
    Array.from({ length: b.length + 1 }, () => 0),
  );
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const row = table[i] as number[];
      row[j] =
        a[i] === b[j]
          ? at(table, i + 1, j + 1) + 1
          : Math.max(at(table, i + 1, j), at(table, i, j + 1));
    }
  }
  return table;
}
