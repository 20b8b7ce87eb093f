import { AlarmClock, Repeat, RotateCw, Trash2 } from 'lucide-react';
import { useMemo, useState, type ReactNode } from 'react';

import type { BrokerDashboardApi, ReminderRow } from '#libs/protocol';

import { Button } from '../../design/button.js';
import { Confirm } from '../../design/confirm.js';
import { ErrorNote } from '../../design/error-note.js';
import { dismissAction, useAction } from '../../hive/actions.js';
import { useNow } from '../../hive/now.js';
import { changeReminder, reminderKey } from '../../hive/pending-actions.js';
import { useQuery } from '../../hive/queries.js';
import { withReminders } from '../../hive/rows.js';
import { mergeRows, useHive } from '../../hive/store.js';
import { briefDuration, plural } from '../../hive/words.js';
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

function ReminderItem({ reminder }: { reminder: ReminderRow }): ReactNode {
  const { id, message, state, last_error: lastError, attempt_count: attempts } = reminder;
  const [asks, setAsks] = useState(false);
  const action = useAction(reminderKey(id));
  const busy = action?.state === 'running';
  return (
    <li className={`open-item ${state}`} data-open={id}>
      <AlarmClock size={15} aria-hidden />
      <div className="open-what">
        <p className="open-who">
          {state === 'pending' ? (
            <Due at={reminder.due_at} />
          ) : (
            <span className={state === 'failed' ? 'chip red' : 'chip'}>{state}</span>
          )}
          {reminder.every && (
            <span className="quiet open-every">
              <Repeat size={12} aria-hidden />
              <span className="only-spoken">repeats: </span>
              <span className="mono">{reminder.every}</span> {reminder.every_tz}
            </span>
          )}
          <span className="quiet">
            <time dateTime={reminder.due_at}>{new Date(reminder.due_at).toLocaleString()}</time>
          </span>
        </p>
        <p className="prose open-text">{message}</p>
        {lastError && (
          <p className="open-error">
            {lastError} <span className="quiet">({plural(attempts, 'attempt')})</span>
          </p>
        )}
        {action?.state === 'failed' && (
          <ErrorNote onDismiss={() => dismissAction(reminderKey(id))}>{action.error}</ErrorNote>
        )}
      </div>
      <span className="open-buttons">
        {state === 'failed' && (
          <Button
            small
            busy={busy}
            icon={<RotateCw size={13} />}
            aria-label={`Try again: reminder ${id}`}
            onClick={() => void changeReminder(id, 'retry')}
          >
            Try again
          </Button>
        )}
        <Button
          small
          look="ghost"
          busy={busy && state !== 'failed'}
          icon={<Trash2 size={13} />}
          aria-label={`Cancel reminder ${id}`}
          onClick={() => setAsks(true)}
        >
          Cancel
        </Button>
      </span>
      {asks && (
        <Confirm
          title={`Cancel reminder ${id}?`}
          verb="Cancel reminder"
          onConfirm={() => void changeReminder(id, 'cancel')}
          onClose={() => setAsks(false)}
        >
          {reminder.every
            ? `${reminder.owner} is not reminded any more, at none of its times.`
            : `${reminder.owner} is not reminded of it.`}{' '}
          It can set a new one at any time.
        </Confirm>
      )}
    </li>
  );
}

/** When it is due, as a countdown. */
function Due({ at }: { at: string }): ReactNode {
  const left = Date.parse(at) - useNow();
  return (
    <span className="chip honey nums">{left > 0 ? `in ${briefDuration(left)}` : 'due now'}</span>
  );
}
