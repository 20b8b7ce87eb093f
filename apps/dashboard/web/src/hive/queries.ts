import { useCallback, useEffect, useState } from 'react';

import { callApi, errorText } from './http.js';

export interface Query<T> {
  data: T | undefined;
  error: string | undefined;
  loading: boolean;
  again: () => void;
}

/**
 * Reads what the snapshot does not hold (older rows, an agent's configuration) when it is first looked at, and again
 * when `of` changes. `path` null: nothing to read. Never used for what events keep fresh.
 */
export function useQuery<T>(
  path: string | null,
  onData?: (data: T) => void,
  of: string | null = null,
): Query<T> {
  const [round, setRound] = useState(0);
  const [answer, setAnswer] = useState<{ path: string | null; data?: T; error?: string }>();
  const again = useCallback(() => setRound((n) => n + 1), []);

  useEffect(() => {
    if (path === null) return undefined;
    const abort = new AbortController();
    const read = async (): Promise<void> => {
      try {
        const data = await callApi<T>('GET', path, undefined, abort.signal);
        onData?.(data);
        setAnswer({ path, data });
      } catch (error) {
        if (!abort.signal.aborted) setAnswer({ path, error: errorText(error) });
      }
    };
    void read();
    return () => abort.abort();
    // A new `onData` is no reason to ask again.
  }, [path, round, of]);

  const current = answer?.path === path ? answer : undefined;
  return {
    data: current?.data,
    error: current?.error,
    loading: path !== null && current === undefined,
    again,
  };
}
