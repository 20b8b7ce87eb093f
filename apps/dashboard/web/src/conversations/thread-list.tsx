import { CheckCheck, CircleDashed, CircleX, SquarePen } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { Link } from 'wouter';

import type { DashboardAnswers } from '#libs/protocol';

import { Ago } from '../design/ago.js';
import { Button } from '../design/button.js';
import { Cell } from '../design/cell.js';
import { Empty } from '../design/empty.js';
import { ErrorNote } from '../design/error-note.js';
import { markRead } from '../hive/actions.js';
import { callApi, errorText } from '../hive/http.js';
import { calledEach } from '../hive/recipients.js';
import { idNumber, withMessages } from '../hive/rows.js';
import { mergeRows, useHive } from '../hive/store.js';
import { useAgents, useOperatorInbox, type Thread } from '../hive/threads.js';
import { called } from '../hive/words.js';
import { SearchBox, SearchResults } from './message-search.js';

export interface ThreadFilter {
  show: 'all' | 'mine' | 'waiting';
  /** Only conversations in which this agent takes part; empty: all. */
  agent: string;
}

/** Conversations that are drawn at first and with each step on. */
const THREADS_SHOWN = 60;

const SHOWS = [
  { show: 'all', name: 'All' },
  { show: 'mine', name: 'With me' },
  { show: 'waiting', name: 'Waiting' },
] as const;

export function filterThreads(threads: readonly Thread[], filter: ThreadFilter): Thread[] {
  return threads.filter(
    (thread) =>
      (filter.agent === '' || thread.everybody || thread.participants.includes(filter.agent)) &&
      (filter.show === 'all' ||
        (filter.show === 'mine' && thread.participants.includes('operator')) ||
        (filter.show === 'waiting' && thread.waiting + thread.dead + thread.unread.length > 0)),
  );
}

export function ThreadList({
  threads,
  chosen,
  filter,
  onFilter,
  query,
  onQuery,
}: {
  threads: readonly Thread[];
  chosen?: string;
  filter: ThreadFilter;
  onFilter: (filter: ThreadFilter) => void;
  /** What is looked for; empty: nothing. */
  query: string;
  onQuery: (query: string) => void;
}): ReactNode {
  const agents = useAgents();
  return (
    <section className="thread-list" aria-label="Conversations">
      <header className="thread-list-head">
        <h2>Conversations</h2>
        <Link href="/conversations/new" className="button small">
          <SquarePen size={14} aria-hidden /> Write
        </Link>
      </header>
      <SearchBox query={query} onQuery={onQuery} />
      <div className="thread-filter">
        {query.trim() === '' && (
          <div className="switcher" role="group" aria-label="Which conversations">
            {SHOWS.map(({ show, name }) => (
              <button
                key={show}
                type="button"
                aria-pressed={filter.show === show}
                onClick={() => onFilter({ ...filter, show })}
              >
                {name}
              </button>
            ))}
          </div>
        )}
        <label>
          <span className="only-spoken">Conversations of</span>
          <select
            className="select"
            value={filter.agent}
            onChange={({ target }) => onFilter({ ...filter, agent: target.value })}
          >
            <option value="">every agent</option>
            {agents.map(({ agent_id: id, name }) => (
              <option key={id} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      {query.trim() === '' ? (
        <Threads threads={threads} chosen={chosen} filter={filter} />
      ) : (
        <SearchResults query={query} agent={filter.agent} />
      )}
    </section>
  );
}

function Threads({
  threads,
  chosen,
  filter,
}: {
  threads: readonly Thread[];
  chosen: string | undefined;
  filter: ThreadFilter;
}): ReactNode {
  const [shown, setShown] = useState(THREADS_SHOWN);
  return (
    <>
      <Inbox />
      {threads.length === 0 ? (
        <Empty title="No conversation here">
          {filter.show === 'all' && filter.agent === ''
            ? 'Nobody has said anything yet. Write to an agent, and its answer stands here.'
            : 'None fits what is chosen above.'}
        </Empty>
      ) : (
        <ul className="threads">
          {threads.slice(0, shown).map((thread) => (
            <ThreadItem key={thread.id} thread={thread} chosen={thread.id === chosen} />
          ))}
        </ul>
      )}
      {threads.length > shown ? (
        <div className="older">
          <Button small look="ghost" onClick={() => setShown(shown + THREADS_SHOWN)}>
            {threads.length - shown} more conversations
          </Button>
        </div>
      ) : (
        <Older agent={filter.agent} />
      )}
    </>
  );
}

/** How many messages wait for the operator, and all of them read with one click. */
function Inbox(): ReactNode {
  const inbox = useOperatorInbox();
  const [busy, setBusy] = useState(false);
  if (inbox.length === 0) return null;
  const readAll = async (): Promise<void> => {
    setBusy(true);
    await Promise.all(inbox.map(({ id }) => markRead(id)));
    setBusy(false);
  };
  return (
    <div className="inbox-bar">
      <span className="count">{inbox.length}</span>
      <span>unread for you</span>
      <Button
        small
        look="ghost"
        busy={busy}
        icon={<CheckCheck size={14} />}
        onClick={() => void readAll()}
      >
        Mark all read
      </Button>
    </div>
  );
}

const CELLS_SHOWN = 3;

function ThreadItem({ thread, chosen }: { thread: Thread; chosen: boolean }): ReactNode {
  const { names, last, messages, unread, waiting, dead } = thread;
  return (
    <li>
      <Link
        href={`/conversations/${thread.id}`}
        className={unread.length > 0 ? 'thread-item unread' : 'thread-item'}
        aria-current={chosen ? 'true' : undefined}
      >
        <span className="thread-cells">
          {names.slice(0, CELLS_SHOWN).map((name) => (
            <Cell key={name} name={name} size={24} />
          ))}
        </span>
        <span className="thread-names mono clip">{calledEach(names)}</span>
        <span className="thread-when quiet">
          <Ago at={last.sent_at} />
        </span>
        <span className="thread-last clip">
          <b>{called(last.from)}:</b> {last.body}
        </span>
        <span className="thread-marks">
          {dead > 0 && (
            <span className="delivery-glyph dead" title={`${dead} given up`}>
              <CircleX size={13} aria-hidden />
              <span className="only-spoken">{dead} given up</span>
            </span>
          )}
          {waiting > 0 && (
            <span className="delivery-glyph queued" title={`${waiting} waiting`}>
              <CircleDashed size={13} aria-hidden />
              <span className="only-spoken">{waiting} waiting</span>
            </span>
          )}
          {unread.length > 0 ? (
            <span className="count" aria-label={`${unread.length} unread`}>
              {unread.length}
            </span>
          ) : (
            <span className="thread-size nums" title={`${messages.length} messages`}>
              {messages.length}
            </span>
          )}
        </span>
      </Link>
    </li>
  );
}

/** Reads conversations that are older than what the page started with. */
function Older({ agent }: { agent: string }): ReactNode {
  const oldest = useHive(({ rows }) =>
    Object.keys(rows.messages).reduce<string | undefined>(
      (low, id) => (low === undefined || idNumber(id) < idNumber(low) ? id : low),
      undefined,
    ),
  );
  const [state, setState] = useState<{ busy?: boolean; error?: string; end?: boolean }>({});
  if (oldest === undefined || idNumber(oldest) === 1 || state.end) return null;
  const load = async (): Promise<void> => {
    setState({ busy: true });
    try {
      const query = new URLSearchParams({ before: oldest, ...(agent ? { agent } : {}) });
      const page = await callApi<DashboardAnswers['messages']>(
        'GET',
        `/api/messages?${query.toString()}`,
      );
      mergeRows((rows) => withMessages(rows, page.messages));
      setState({ end: page.messages.length === 0 });
    } catch (error) {
      setState({ error: errorText(error) });
    }
  };
  return (
    <div className="older">
      {state.error && <ErrorNote onRetry={() => void load()}>{state.error}</ErrorNote>}
      <Button small look="ghost" busy={state.busy ?? false} onClick={() => void load()}>
        Older conversations
      </Button>
    </div>
  );
}
