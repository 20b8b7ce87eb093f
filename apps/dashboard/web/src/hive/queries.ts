import { useCallback, useEffect, useRef, useState } from 'react';

import type { HiveEvent } from '#libs/protocol';

import { callApi, errorText } from './http.js';
import { LiveRead } from './live-read.js';
import { onHiveEvent, useHive } from './store.js';

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

/**
 * Reads what the rows cannot tell (what is open for an agent, its dead deliveries), and reads it again when an event
 * `touches` it. What was read last stays while it is read again. `touches` may be a new function at every call.
 */
export function useLiveQuery<T>(path: string, touches: (event: HiveEvent) => boolean): Query<T> {
  const [answer, setAnswer] = useState<{ path: string; data?: T; error?: string }>();
  const since = useHive(({ rows }) => rows.since);
  const reader = useRef<LiveRead>(undefined);
  const touched = useRef(touches);
  touched.current = touches;

  useEffect(() => {
    const abort = new AbortController();
    const live = new LiveRead(async () => {
      try {
        const data = await callApi<T>('GET', path, undefined, abort.signal);
        setAnswer({ path, data });
      } catch (error) {
        if (abort.signal.aborted) return;
        setAnswer((old) => ({
          path,
          ...(old?.path === path && old.data !== undefined ? { data: old.data } : {}),
          error: errorText(error),
        }));
      }
    });
    reader.current = live;
    const forget = onHiveEvent((event) => {
      if (touched.current(event)) live.changed();
    });
    void live.now();
    return () => {
      forget();
      live.stop();
      abort.abort();
    };
    // Events behind another snapshot do not tell what happened before it.
  }, [path, since]);

  const current = answer?.path === path ? answer : undefined;
  return {
    data: current?.data,
    error: current?.error,
    loading: current === undefined,
    again: () => void reader.current?.now(),
  };
}
