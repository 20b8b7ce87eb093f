import { useCallback, useEffect, useRef, useState } from 'react';

import type { DashboardAnswers } from '#libs/protocol';

import { callApi, errorText } from '../hive/http.js';
import { withMessages } from '../hive/rows.js';
import { mergeRows, useHive } from '../hive/store.js';

const PAGE = 200;
/** Pages that are read to reach a message far up in a long conversation. */
const MOST_PAGES = 20;

export interface ThreadReading {
  reading: boolean;
  error: string | undefined;
  again: () => void;
  /** There are older messages than were read; reads more of them. */
  older: (() => void) | undefined;
}

/**
 * Reads a conversation when it is opened, because the rows hold the newest messages of the hive only: its newest page,
 * and older ones until the message `at` is among them. From then on the events keep it fresh.
 */
export function useThreadMessages(id: string, at: string | undefined): ThreadReading {
  const [round, setRound] = useState(0);
  const [state, setState] = useState<{ reading: boolean; error?: string; next?: string }>({
    reading: true,
  });
  const next = useRef<string>(undefined);
  const readSince = useRef<string>(undefined);
  const since = useHive(({ rows }) => rows.since);

  const read = useCallback(
    async (pages: number, until: string | undefined, signal: AbortSignal): Promise<void> => {
      setState({ reading: true });
      try {
        for (let page = 0; page < pages; page += 1) {
          const query = new URLSearchParams({ thread: id, limit: String(PAGE) });
          if (next.current !== undefined) query.set('before', next.current);
          const answer = await callApi<DashboardAnswers['messages']>(
            'GET',
            `/api/messages?${query.toString()}`,
            undefined,
            signal,
          );
          mergeRows((rows) => withMessages(rows, answer.messages));
          next.current = answer.next;
          if (answer.next === undefined || until === undefined || isKnown(until)) break;
        }
        setState({ reading: false, ...(next.current ? { next: next.current } : {}) });
      } catch (error) {
        if (!signal.aborted) setState({ reading: false, error: errorText(error) });
      }
    },
    [id],
  );

  useEffect(() => {
    const fresh = readSince.current !== since;
    if (!fresh && (at === undefined || next.current === undefined || isKnown(at))) return undefined;
    if (fresh) next.current = undefined;
    const abort = new AbortController();
    void read(MOST_PAGES, at, abort.signal).then(() => {
      if (!abort.signal.aborted) readSince.current = since;
      return undefined;
    });
    return () => abort.abort();
  }, [read, at, round, since]);

  return {
    reading: state.reading,
    error: state.error,
    again: () => {
      readSince.current = undefined;
      setRound((n) => n + 1);
    },
    older:
      state.next === undefined
        ? undefined
        : () => void read(1, undefined, new AbortController().signal),
  };
}

function isKnown(message: string): boolean {
  return message in useHive.getState().rows.messages;
}
