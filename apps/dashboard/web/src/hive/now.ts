import { useSyncExternalStore } from 'react';

import { hiveNow } from './http.js';

const SECOND_MS = 1000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = hiveNow();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = hiveNow();
    for (const each of listeners) each();
  }, SECOND_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The hive's time in milliseconds, to the second: every age on the page ticks from this one clock. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
