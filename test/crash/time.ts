/** Waits; settles at once when `signal` is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Waits until `look` says so, at most `ms`; answers whether it did. */
export async function until(
  look: () => boolean | Promise<boolean>,
  ms: number,
  everyMs = 200,
): Promise<boolean> {
  const end = Date.now() + ms;
  while (!(await look())) {
    if (Date.now() > end) return false;
    await pause(everyMs);
  }
  return true;
}

/** Nearest-rank percentile; undefined when there are no values. */
export function percentile(values: readonly number[], part: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)];
}
