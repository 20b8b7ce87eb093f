import type { ReactNode } from 'react';

import { useNow } from '../hive/now.js';
import { briefDuration, clockDuration } from '../hive/words.js';

/** How long ago a time was; it ticks. The exact time shows on hover. */
export function Ago({ at, suffix = '' }: { at: string; suffix?: string }): ReactNode {
  const now = useNow();
  const ms = now - Date.parse(at);
  return (
    <time dateTime={at} title={new Date(at).toLocaleString()} className="nums">
      {ms < 5000 ? 'now' : `${briefDuration(ms)}${suffix}`}
    </time>
  );
}

/** A running clock since a time. */
export function Running({ since }: { since: string }): ReactNode {
  const now = useNow();
  return (
    <time dateTime={since} title={new Date(since).toLocaleString()} className="nums">
      {clockDuration(now - Date.parse(since))}
    </time>
  );
}
