import './reminders.css';
import { useMemo, useState, type ReactNode } from 'react';

import type { ReminderRow, ReminderState } from '#libs/protocol';

import { Button } from '../design/button.js';
import { Empty } from '../design/empty.js';
import { ErrorNote } from '../design/error-note.js';
import { usePages, type Pages } from '../hive/pages.js';
import { useReminders } from '../hive/pending.js';
import { idNumber, withReminders } from '../hive/rows.js';
import { mergeRows } from '../hive/store.js';
import { AgentFilter, useAgentFilter } from '../shell/agent-filter.js';
import { ReminderItem } from './reminder-item.js';

const PAGE = 100;

/** Reads reminders of one state into the rows; not at all while `wanted` is false. */
function useReminderPages(state: ReminderState, agent: string | undefined, wanted = true): Pages {
  const filter = agent === undefined ? '' : `&agent=${encodeURIComponent(agent)}`;
  return usePages(
    'reminders',
    wanted ? `state=${state}&limit=${PAGE}${filter}` : null,
    ({ reminders }) => mergeRows((rows) => withReminders(rows, reminders)),
  );
}

/** What agents have set themselves: the failed ones first, with why; then what comes next. */
export function Reminders(): ReactNode {
  const agent = useAgentFilter();
  const all = useReminders();
  const [past, setPast] = useState(false);
  const { failed, scheduled, ended } = useMemo(() => sorted(all, agent), [all, agent]);
  const failedPages = useReminderPages('failed', agent);
  const pending = useReminderPages('pending', agent);
  const paused = useReminderPages('paused', agent);
  const delivered = useReminderPages('delivered', agent, past);
  return (
    <main className="page reminders">
      <header className="page-head">
        <div>
          <h1>Reminders</h1>
          <p className="page-sum nums">
            <span>
              <b>{pending.loading ? '–' : scheduled.length}</b> scheduled
            </span>
            <span>
              <b>{failed.length}</b> failed
            </span>
          </p>
        </div>
        {agent !== undefined && <AgentFilter agent={agent} path="/reminders" />}
      </header>
      {(failed.length > 0 || failedPages.error) && (
        <section className="panel failed-reminders" aria-labelledby="reminders-failed">
          <Head id="reminders-failed" name="Could not be delivered" />
          <ReminderList reminders={failed} pages={failedPages} />
        </section>
      )}
      <section className="panel" aria-labelledby="reminders-scheduled">
        <Head id="reminders-scheduled" name="Scheduled" />
        {scheduled.length === 0 && !pending.loading && !pending.error ? (
          <Empty title="Nothing is scheduled">
            An agent that wants to look at something later sets itself a reminder. It shows up here,
            and comes back to the agent as a message.
          </Empty>
        ) : (
          <ReminderList reminders={scheduled} pages={pending} />
        )}
        {paused.error && <ErrorNote onRetry={paused.again}>{paused.error}</ErrorNote>}
      </section>
      <section className="panel" aria-labelledby="reminders-past">
        <Head id="reminders-past" name="Past">
          {!past && (
            <Button small look="ghost" onClick={() => setPast(true)}>
              Show delivered ones
            </Button>
          )}
        </Head>
        {ended.length === 0 && !delivered.loading ? (
          <p className="quiet panel-none">
            {past
              ? 'None was delivered or cancelled yet.'
              : 'What comes due while you look moves here.'}
          </p>
        ) : (
          <ReminderList reminders={ended} pages={delivered} />
        )}
      </section>
    </main>
  );
}

function Head({
  id,
  name,
  children,
}: {
  id: string;
  name: string;
  children?: ReactNode;
}): ReactNode {
  return (
    <header className="panel-head">
      <h2 className="label" id={id}>
        {name}
      </h2>
      {children}
    </header>
  );
}

function ReminderList({
  reminders,
  pages,
}: {
  reminders: readonly ReminderRow[];
  pages: Pages;
}): ReactNode {
  return (
    <>
      {reminders.length === 0 && pages.loading && (
        <div className="skeleton list-skeleton" role="status" aria-label="Reading reminders" />
      )}
      <ul>
        {reminders.map((reminder) => (
          <ReminderItem key={reminder.id} reminder={reminder} />
        ))}
      </ul>
      {pages.error && <ErrorNote onRetry={pages.again}>{pages.error}</ErrorNote>}
      {pages.more && (
        <Button small look="ghost" className="list-more" busy={pages.moreBusy} onClick={pages.more}>
          More reminders
        </Button>
      )}
    </>
  );
}

function sorted(
  reminders: readonly ReminderRow[],
  agent: string | undefined,
): Record<'failed' | 'scheduled' | 'ended', ReminderRow[]> {
  const shown = reminders.filter(({ owner }) => agent === undefined || owner === agent);
  const newestFirst = shown.toSorted((a, b) => idNumber(b.id) - idNumber(a.id));
  return {
    failed: newestFirst.filter(({ state }) => state === 'failed'),
    scheduled: shown
      .filter(({ state }) => state === 'pending' || state === 'paused')
      .sort((a, b) => a.due_at.localeCompare(b.due_at)),
    ended: newestFirst.filter(({ state }) => state === 'delivered' || state === 'cancelled'),
  };
}
