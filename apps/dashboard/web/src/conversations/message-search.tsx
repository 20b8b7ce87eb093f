import './search.css';
import { LoaderCircle, Search, X } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import { Link, useSearch } from 'wouter';

import { LIMITS, type DashboardAnswers, type MessageRow } from '#libs/protocol';

import { Ago } from '../design/ago.js';
import { Button } from '../design/button.js';
import { Empty } from '../design/empty.js';
import { ErrorNote } from '../design/error-note.js';
import { callApi, errorText } from '../hive/http.js';
import { calledAll, concerns, recipientsOf } from '../hive/recipients.js';
import { onHiveEvent } from '../hive/store.js';
import { called, plural } from '../hive/words.js';
import { showMessage } from './message-item.js';
import { excerpt, matches, queryProblem } from './search-words.js';

/** The field that looks for messages. */
export function SearchBox({
  query,
  onQuery,
}: {
  query: string;
  onQuery: (query: string) => void;
}): ReactNode {
  return (
    <div className="search-box" role="search">
      <Search size={14} aria-hidden />
      <input
        type="search"
        aria-label="Search messages"
        placeholder="Search messages"
        autoComplete="off"
        maxLength={LIMITS.search_query_chars}
        value={query}
        onChange={({ target }) => onQuery(target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape' || query === '') return;
          event.preventDefault();
          onQuery('');
        }}
      />
      {query !== '' && (
        <button type="button" aria-label="Clear the search" onClick={() => onQuery('')}>
          <X size={14} aria-hidden />
        </button>
      )}
    </div>
  );
}

/** How long the field is left alone before the hive is asked, in milliseconds. */
const PAUSE_MS = 200;
const PAGE = LIMITS.search_results;

interface Found {
  /** What was asked for: an answer to something else is not shown as one to this. */
  query: string;
  agent: string;
  messages: MessageRow[];
  next?: string;
  error?: string;
}

function read(
  query: string,
  agent: string,
  before: string | undefined,
  signal?: AbortSignal,
): Promise<DashboardAnswers['messages']> {
  const asked = new URLSearchParams({ q: query, limit: String(PAGE) });
  if (agent) asked.set('agent', agent);
  if (before) asked.set('before', before);
  return callApi('GET', `/api/messages?${asked.toString()}`, undefined, signal);
}

/** Messages with the words of `query`, newest first; what is said meanwhile joins them. */
export function SearchResults({ query, agent }: { query: string; agent: string }): ReactNode {
  const [found, setFound] = useState<Found>();
  const [round, setRound] = useState(0);
  const [more, setMore] = useState<{ busy?: boolean; error?: string }>({});
  const problem = queryProblem(query);
  const asked = query.trim();

  useEffect(() => {
    if (problem !== undefined) return undefined;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      setMore({});
      read(asked, agent, undefined, abort.signal)
        .then((page) => setFound({ query: asked, agent, ...page }))
        .catch((error: unknown) => {
          if (abort.signal.aborted) return;
          setFound({ query: asked, agent, messages: [], error: errorText(error) });
        });
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [asked, agent, problem, round]);

  useEffect(
    () =>
      onHiveEvent((event) => {
        if (event.kind !== 'message_sent') return;
        const { message } = event;
        setFound((now) => (now && joins(message, now) ? withNew(now, message) : now));
      }),
    [],
  );

  const readMore = async (): Promise<void> => {
    if (!found?.next) return;
    setMore({ busy: true });
    try {
      const page = await read(found.query, found.agent, found.next);
      setFound((now) =>
        now?.next === found.next && now?.query === found.query
          ? { ...now, messages: [...now.messages, ...page.messages], next: page.next }
          : now,
      );
      setMore({});
    } catch (error) {
      setMore({ error: errorText(error) });
    }
  };

  if (problem !== undefined) return <p className="search-said quiet">{problem}</p>;
  const isFresh = found?.query === asked && found.agent === agent;
  if (isFresh && found.error) {
    return (
      <div className="search-said">
        <ErrorNote onRetry={() => setRound(round + 1)}>{found.error}</ErrorNote>
      </div>
    );
  }
  return (
    <section aria-label="Found messages" aria-busy={!isFresh} className="search-found">
      <p className="search-said quiet" role="status">
        {isFresh ? (
          `${plural(found.messages.length, 'message')}${found.next ? ', the newest' : ''}${agent ? ` of ${called(agent)}` : ''}`
        ) : (
          <>
            Searching <LoaderCircle className="spinner" aria-hidden />
          </>
        )}
      </p>
      {isFresh && found.messages.length === 0 && (
        <Empty title="Nothing found">
          No message has all of these words. Fewer of them find more; the last one may be a
          beginning.
        </Empty>
      )}
      <ul className="search-hits">
        {found?.messages.map((message) => (
          <Hit key={message.id} message={message} query={found.query} />
        ))}
      </ul>
      {isFresh && found.next && (
        <div className="older">
          {more.error && <ErrorNote onRetry={() => void readMore()}>{more.error}</ErrorNote>}
          <Button small look="ghost" busy={more.busy ?? false} onClick={() => void readMore()}>
            Older ones
          </Button>
        </div>
      )}
    </section>
  );
}

function joins(message: MessageRow, found: Found): boolean {
  return (
    matches(message.body, found.query) && (found.agent === '' || concerns(message, found.agent))
  );
}

function withNew(found: Found, message: MessageRow): Found {
  if (found.messages.some(({ id }) => id === message.id)) return found;
  return { ...found, messages: [message, ...found.messages] };
}

function Hit({ message, query }: { message: MessageRow; query: string }): ReactNode {
  const chosen = new URLSearchParams(useSearch()).get('at') === message.id;
  return (
    <li>
      <Link
        href={`/conversations/${message.thread_id}?at=${message.id}`}
        className="search-hit"
        aria-current={chosen ? 'true' : undefined}
        onClick={() => {
          if (chosen) showMessage(message.id);
        }}
      >
        <span className="search-way">
          <span className="mono clip">
            <b>{called(message.from)}</b> <span className="quiet">→</span>{' '}
            {calledAll(recipientsOf(message))}
          </span>
          <span className="thread-when quiet">
            <Ago at={message.sent_at} />
          </span>
        </span>
        <span className="search-text">
          {excerpt(message.body, query).map(({ text, hit }, at) =>
            hit ? <mark key={at}>{text}</mark> : text,
          )}
        </span>
      </Link>
    </li>
  );
}
