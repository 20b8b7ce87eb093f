import './reminders.css';
import { BellOff } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';

import { useNeedsOf } from '../hive/pending.js';
import { plural } from '../hive/words.js';

/** Says above every page that reminders could not be delivered (PRODUCT 3.5), until they are tried again or cancelled. */
export function FailedReminders(): ReactNode {
  const failed = useNeedsOf('reminder_failed');
  const [path] = useLocation();
  // The page of reminders begins with them.
  if (failed.length === 0 || path === '/reminders') return null;
  const owners = [...new Set(failed.map(({ agent }) => agent))];
  return (
    <aside className="failed-banner" aria-label="Failed reminders">
      <BellOff size={15} aria-hidden />
      <p>
        <b>{plural(failed.length, 'reminder')}</b> of {inWords(owners)} could not be delivered.
      </p>
      <Link href="/reminders" className="button small">
        See why
      </Link>
    </aside>
  );
}

const MOST_NAMES = 3;

function inWords(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  if (more > 0) return `${names.slice(0, MOST_NAMES).join(', ')} and ${more} more`;
  return names.join(', ').replace(/, ([^,]*)$/, ' and $1');
}
