/** One page of a list, and the last of it when there is more behind. */
export interface Page<T> {
  page: T[];
  last?: T;
}

/** The first `limit` of rows of which one more was asked for. */
export function pageOf<T>(found: readonly T[], limit: number): Page<T> {
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return found.length > limit && last !== undefined ? { page, last } : { page };
}
