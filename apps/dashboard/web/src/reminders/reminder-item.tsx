import './reminders.css';
import { FileText, Repeat, RotateCw, X } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { Link } from 'wouter';

import type { ReminderRow, ReminderState } from '#libs/protocol';

import { Ago, Until } from '../design/ago.js';
import { announce } from '../design/announce.js';
import { Button } from '../design/button.js';
import { Cell } from '../design/cell.js';
import { Confirm } from '../design/confirm.js';
import { LongText } from '../design/long-text.js';
import { useAction } from '../hive/actions.js';
import { changeReminder, reminderKey } from '../hive/pending-actions.js';
import { plural } from '../hive/words.js';
import { ActionError } from '../shell/action-error.js';
import { repeats } from './schedule-words.js';

const TONES: Record<ReminderState, string> = {
  pending: 'ready',
  delivered: 'off',
  failed: 'broken',
  cancelled: 'off',
  paused: 'waiting',
};

/** One reminder: whose, when, what for, and why it could not be delivered. */
export function ReminderItem({ reminder }: { reminder: ReminderRow }): ReactNode {
  const { id, owner, message, state } = reminder;
  const waits = state === 'pending' || state === 'failed' || state === 'paused';
  return (
    <li className={`reminder ${state}`} data-reminder={id}>
      <Cell name={owner} size={26} />
      <article aria-label={`Reminder ${id} of ${owner}`}>
        <header className="reminder-head">
          <h3>
            <Link href={`/agents/${owner}`} className="mono">
              {owner}
            </Link>
          </h3>
          {state !== 'pending' && <span className={`mood ${TONES[state]}`}>{state}</span>}
          <Due reminder={reminder} />
          {reminder.every !== null && (
            <span className="reminder-every">
              <Repeat size={12} aria-hidden /> {repeats(reminder.every, reminder.every_tz)}
            </span>
          )}
          {reminder.file_path !== null && (
            <span className="reminder-every mono">
              <FileText size={12} aria-hidden /> {reminder.file_path}
            </span>
          )}
        </header>
        <LongText text={message} className="reminder-text" />
        {reminder.last_error !== null && waits && (
          <p className="reminder-error">
            {plural(reminder.attempt_count, 'attempt')}
            {reminder.last_attempt_at !== null && (
              <>
                , the last <Ago at={reminder.last_attempt_at} suffix=" ago" />
              </>
            )}
            : {reminder.last_error}
          </p>
        )}
        <ActionError of={reminderKey(id)} />
      </article>
      {waits && (
        <div className="reminder-actions">
          {state === 'failed' && <RetryReminder id={id} owner={owner} />}
          <CancelReminder reminder={reminder} />
        </div>
      )}
    </li>
  );
}

function Due({
  reminder: { state, due_at, occurrence, every },
}: {
  reminder: ReminderRow;
}): ReactNode {
  const times = every !== null && occurrence > 1 ? ` · came ${plural(occurrence - 1, 'time')}` : '';
  return (
    <span className="reminder-due quiet">
      {state === 'pending' ? (
        <>
          in <Until at={due_at} over="a moment" />
        </>
      ) : (
        <>
          {state === 'cancelled' ? 'was due' : 'due'} <When at={due_at} />
        </>
      )}
      {times}
    </span>
  );
}

function When({ at }: { at: string }): ReactNode {
  return (
    <time dateTime={at} className="nums">
      {new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}
    </time>
  );
}

/** Has a failed reminder tried again. */
export function RetryReminder({ id, owner }: { id: string; owner: string }): ReactNode {
  const action = useAction(reminderKey(id));
  return (
    <Button
      small
      busy={action?.state === 'running'}
      icon={<RotateCw size={13} />}
      aria-label={`Try again: reminder ${id} of ${owner}`}
      onClick={() => {
        void changeReminder(id, 'retry').then((done) => {
          if (done) announce(`The reminder of ${owner} is tried again.`);
          return undefined;
        });
      }}
    >
      Try again
    </Button>
  );
}

function CancelReminder({ reminder }: { reminder: ReminderRow }): ReactNode {
  const { id, owner, every } = reminder;
  const [asks, setAsks] = useState(false);
  const action = useAction(reminderKey(id));
  return (
    <>
      <Button
        small
        look="ghost"
        busy={action?.state === 'running'}
        icon={<X size={13} />}
        aria-label={`Cancel reminder ${id} of ${owner}`}
        onClick={() => setAsks(true)}
      >
        Cancel
      </Button>
      {asks && (
        <Confirm
          title={`Cancel this reminder of ${owner}?`}
          verb="Cancel the reminder"
          onConfirm={() => {
            void changeReminder(id, 'cancel').then((done) => {
              if (done) announce(`The reminder of ${owner} is cancelled.`);
              return undefined;
            });
          }}
          onClose={() => setAsks(false)}
        >
          {owner} set it itself and is not told.{' '}
          {every === null ? 'It does not come.' : 'It does not come any more.'}
        </Confirm>
      )}
    </>
  );
}
