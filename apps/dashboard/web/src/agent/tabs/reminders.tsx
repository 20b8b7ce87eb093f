import { useMemo, type ReactNode } from 'react';

import type { BrokerDashboardApi, ReminderRow } from '#libs/protocol';

import { ErrorNote } from '../../design/error-note.js';
import { useQuery } from '../../hive/queries.js';
import { withReminders } from '../../hive/rows.js';
import { mergeRows, useHive } from '../../hive/store.js';
import { ReminderItem } from '../../reminders/reminder-item.js';
import { Part } from './part.js';

/** Which come first: what failed needs somebody, what is paused waits for the agent. */
const ORDER: Partial<Record<ReminderRow['state'], number>> = { failed: 0, pending: 1, paused: 2 };

function take({ reminders }: BrokerDashboardApi['reminders'][1]): void {
  mergeRows((rows) => withReminders(rows, reminders));
}

/** The reminders of an agent that are not over. Failed ones come with the page's start, events keep all of them fresh. */
function useReminders(name: string): {
  reminders: ReminderRow[];
  reading: boolean;
  error: string | undefined;
  again: () => void;
} {
  const since = useHive(({ rows }) => rows.since);
  const path = (state: string): string =>
    `/api/reminders?${new URLSearchParams({ agent: name, state, limit: '200' }).toString()}`;
  const pending = useQuery<BrokerDashboardApi['reminders'][1]>(path('pending'), take, since);
  const paused = useQuery<BrokerDashboardApi['reminders'][1]>(path('paused'), take, since);
  const all = useHive((store) => store.rows.reminders);
  const reminders = useMemo(
    () =>
      Object.values(all)
        .filter(({ owner, state }) => owner === name && state in ORDER)
        .sort(
          (a, b) =>
            (ORDER[a.state] ?? 0) - (ORDER[b.state] ?? 0) || a.due_at.localeCompare(b.due_at),
        ),
    [all, name],
  );
  return {
    reminders,
    reading: pending.loading || paused.loading,
    error: pending.error ?? paused.error,
    again: () => {
      pending.again();
      paused.again();
    },
  };
}

/** What an agent is to be reminded of, and what came to nothing. */
export function Reminders({ name }: { name: string }): ReactNode {
  const { reminders, reading, error, again } = useReminders(name);
  return (
    <Part title="Reminders" count={reminders.length} of="agent-reminders">
      {error && <ErrorNote onRetry={again}>{error}</ErrorNote>}
      {reminders.length === 0 && reading && <div className="skeleton open-skeleton" />}
      {reminders.length === 0 && !reading && !error && (
        <p className="quiet open-none">{name} has set no reminder that is still to come.</p>
      )}
      <ul className="open-list">
        {reminders.map((reminder) => (
          <ReminderItem key={reminder.id} reminder={reminder} />
        ))}
      </ul>
    </Part>
  );
}
