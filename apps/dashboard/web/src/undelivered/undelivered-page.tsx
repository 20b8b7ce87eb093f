import './undelivered.css';
import { MessagesSquare } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';

import type { NeedsYou } from '#libs/protocol';

import { Ago } from '../design/ago.js';
import { Cell } from '../design/cell.js';
import { Empty } from '../design/empty.js';
import { ErrorNote } from '../design/error-note.js';
import { LongText } from '../design/long-text.js';
import { usePages } from '../hive/pages.js';
import { deliveryKey } from '../hive/pending-actions.js';
import { useMessageOfDelivery, useNeedsOf } from '../hive/pending.js';
import { withMessages } from '../hive/rows.js';
import { mergeRows } from '../hive/store.js';
import { called, plural } from '../hive/words.js';
import { ActionError } from '../shell/action-error.js';
import { AgentFilter, useAgentFilter } from '../shell/agent-filter.js';
import { RetryDelivery } from './retry-delivery.js';

const PAGE = 200;
/** Entries of one kind that the hive lists at most. */
const MOST_LISTED = 200;

/**
 * Messages that the hive gave up delivering (PRODUCT 1.2). The hive's list of what needs the operator says which, live;
 * what it does not say, the messages themselves, is read once.
 */
export function Undelivered(): ReactNode {
  const agent = useAgentFilter();
  const dead = useNeedsOf('dead_delivery', agent);
  const pages = usePages(
    'deliveries',
    dead.length === 0 ? null : `state=dead&limit=${PAGE}`,
    ({ deliveries }) =>
      mergeRows((rows) =>
        withMessages(
          rows,
          deliveries.map(({ message }) => message),
        ),
      ),
  );
  return (
    <main className="page undelivered">
      <header className="page-head">
        <div>
          <h1>Undelivered</h1>
          <p className="page-sum nums">
            <span>
              <b>{dead.length}</b> {dead.length === 1 ? 'message was' : 'messages were'} given up
            </span>
          </p>
        </div>
        {agent !== undefined && <AgentFilter agent={agent} path="/undelivered" />}
      </header>
      <section className="panel" aria-labelledby="undelivered">
        <header className="panel-head">
          <h2 className="label" id="undelivered">
            Given up
          </h2>
        </header>
        {pages.error && <ErrorNote onRetry={pages.again}>{pages.error}</ErrorNote>}
        {dead.length === 0 ? (
          <Empty title="Every message was delivered">
            When the turns for a message keep failing, the hive gives it up. It is kept, and comes
            here with the reason until you have it tried again.
          </Empty>
        ) : (
          <ul>
            {dead.map((need) => (
              <DeadDelivery key={need.key} need={need} loading={pages.loading} />
            ))}
          </ul>
        )}
        {dead.length >= MOST_LISTED && (
          <p className="quiet panel-none">
            These are the oldest {MOST_LISTED}; more come up as they are tried again.
          </p>
        )}
      </section>
    </main>
  );
}

function DeadDelivery({ need, loading }: { need: NeedsYou; loading: boolean }): ReactNode {
  const { id, agent, since } = need;
  const message = useMessageOfDelivery(id);
  const delivery = message?.deliveries.find(({ to, state }) => to === agent && state === 'dead');
  return (
    <li className="undelivered-item" data-delivery={id}>
      <Cell name={agent} tone="broken" size={26} />
      <article aria-label={`Message to ${agent}, ${id}`}>
        <header className="dead-head">
          <h3>
            {message && (
              <>
                <span className="mono">{called(message.from)}</span>{' '}
                <span className="quiet">→</span>{' '}
              </>
            )}
            <Link href={`/agents/${agent}`} className="mono">
              {agent}
            </Link>
          </h3>
          <span className="quiet dead-when">
            given up <Ago at={since} suffix=" ago" />
            {delivery && `, after ${plural(delivery.attempt, 'attempt')}`}
          </span>
        </header>
        <p className="dead-reason">{delivery?.reason ?? need.title}</p>
        {message ? (
          <LongText text={message.body} className="dead-body" />
        ) : (
          loading && <div className="skeleton dead-skeleton" />
        )}
        <ActionError of={deliveryKey(id)} />
        <footer className="dead-foot">
          <RetryDelivery id={id} agent={agent} />
          {message && (
            <Link
              href={`/conversations/${message.thread_id}`}
              className="button small ghost"
              aria-label={`Conversation of message ${message.id}`}
            >
              <MessagesSquare size={13} aria-hidden /> Conversation
            </Link>
          )}
        </footer>
      </article>
    </li>
  );
}
