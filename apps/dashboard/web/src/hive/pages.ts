import { useState } from 'react';

import type { DashboardAnswers } from '#libs/protocol';

import { callApi, errorText } from './http.js';
import { useQuery } from './queries.js';
import { useHive } from './store.js';

export interface Pages {
  loading: boolean;
  /** Why nothing, or no more, could be read. */
  error: string | undefined;
  /** Reads the first page again. */
  again: () => void;
  /** Reads the next page; undefined when there is none. */
  more: (() => void) | undefined;
  moreBusy: boolean;
}

/**
 * Reads a list that the snapshot does not hold, page by page, into the rows, where events keep it fresh. It starts over
 * when the rows did. `query` narrows the list and says the size of a page; null: nothing to read.
 */
export function usePages<List extends 'questions' | 'reminders' | 'deliveries' | 'approvals'>(
  list: List,
  query: string | null,
  onPage: (page: DashboardAnswers[List]) => void,
): Pages {
  const path = query === null ? null : `/api/${list}?${query}`;
  const since = useHive((store) => store.rows.since);
  const of = `${since} ${path}`;
  const first = useQuery<DashboardAnswers[List]>(path, onPage, since);
  const [read, setRead] = useState<{ of: string; next?: string; busy?: boolean; error?: string }>();
  const further = read?.of === of ? read : undefined;
  const next = further ? further.next : first.data?.next;
  const readMore = async (before: string): Promise<void> => {
    setRead({ of, next: before, busy: true });
    try {
      const page = await callApi<DashboardAnswers[List]>(
        'GET',
        `${path}&before=${encodeURIComponent(before)}`,
      );
      onPage(page);
      setRead(page.next === undefined ? { of } : { of, next: page.next });
    } catch (error) {
      setRead({ of, next: before, error: errorText(error) });
    }
  };
  return {
    loading: first.loading,
    error: first.error ?? further?.error,
    again: first.again,
    more: next === undefined ? undefined : () => void readMore(next),
    moreBusy: further?.busy ?? false,
  };
}
