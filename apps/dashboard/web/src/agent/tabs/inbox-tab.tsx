import { useMemo, type ReactNode } from 'react';

import type { DashboardAnswers, MessageRow } from '#libs/protocol';

import { MessageItem } from '../../conversations/message-item.js';
import { MessageSkeletons } from '../../conversations/thread-view.js';
import { Empty } from '../../design/empty.js';
import { ErrorNote } from '../../design/error-note.js';
import { useQuery } from '../../hive/queries.js';
import { idNumber, withMessages } from '../../hive/rows.js';
import { mergeRows, useHive } from '../../hive/store.js';

/** What was sent to an agent, as far as the page knows, newest first. */
export function useInbox(name: string): MessageRow[] {
  const messages = useHive((store) => store.rows.messages);
  return useMemo(
    () =>
      Object.values(messages)
        .filter(({ deliveries }) => deliveries.some(({ to }) => to === name))
        .sort((a, b) => idNumber(b.id) - idNumber(a.id)),
    [messages, name],
  );
}

/** What waits for the agent, why, and what it has read. */
export function InboxTab({ name }: { name: string }): ReactNode {
  const query = useQuery<DashboardAnswers['messages']>(
    `/api/agents/${encodeURIComponent(name)}/inbox?limit=100`,
    ({ messages }) => mergeRows((rows) => withMessages(rows, messages)),
  );
  const inbox = useInbox(name);
  const isOpen = (message: MessageRow): boolean =>
    message.deliveries.some(({ to, state }) => to === name && ['queued', 'leased'].includes(state));
  const open = inbox.filter(isOpen);
  const done = inbox.filter((message) => !isOpen(message));
  return (
    <div className="agent-inbox">
      {query.error && <ErrorNote onRetry={query.again}>{query.error}</ErrorNote>}
      {query.loading && inbox.length === 0 && <MessageSkeletons />}
      {inbox.length === 0 && query.data && (
        <Empty title="Its inbox is empty">Nobody has written to {name} yet.</Empty>
      )}
      <Part title={`Waiting or in a turn: ${open.length}`} messages={open} />
      <Part title="Done with" messages={done} />
    </div>
  );
}

function Part({ title, messages }: { title: string; messages: readonly MessageRow[] }): ReactNode {
  if (messages.length === 0) return null;
  return (
    <section>
      <h2 className="label">{title}</h2>
      <ol className="messages">
        {messages.map((message) => (
          <MessageItem key={message.id} message={message} inFlow />
        ))}
      </ol>
    </section>
  );
}
