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

const SOON_MS = 60_000;

/** How long until a time, by the hive's clock: `4:12`, marked as near in its last minute, `over` behind it. */
export function Until({ at, over = 'over' }: { at: string; over?: string }): ReactNode {
  const ms = Date.parse(at) - useNow();
  return (
    <time
      dateTime={at}
      title={new Date(at).toLocaleString()}
      className={ms < SOON_MS ? 'nums until soon' : 'nums until'}
    >
      {ms <= 0 ? over : ms < LONG_MS ? clockDuration(ms) : briefDuration(ms)}
    </time>
  );
}
const LONG_MS = 24 * 60 * 60 * 1000;
