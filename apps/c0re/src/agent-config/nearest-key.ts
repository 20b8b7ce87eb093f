/** Most edits at which an unknown key still counts as a typing mistake of a known one. */
const MOST_EDITS = 2;

/** The known key that `key` was probably meant to be. */
export function nearestKey(key: string, known: readonly string[]): string | undefined {
  const scored = known
    .map((candidate) => ({ candidate, edits: editDistance(key.toLowerCase(), candidate) }))
    .toSorted((a, b) => a.edits - b.edits);
  const best = scored[0];
  return best && best.edits <= MOST_EDITS ? best.candidate : undefined;
}

/** Edits (insert, remove, replace, swap neighbours) that turn one short text into the other. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        swapped ? (beforeLast[j - 2] ?? 0) + 1 : Infinity,
      );
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
