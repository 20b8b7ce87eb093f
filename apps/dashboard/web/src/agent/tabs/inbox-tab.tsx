import { useEffect, useMemo, type ReactNode } from 'react';

import type { DashboardAnswers, MessageRow } from '#libs/protocol';

import { MessageItem } from '../../conversations/message-item.js';
import { MessageSkeletons } from '../../conversations/thread-view.js';
import { Empty } from '../../design/empty.js';
import { ErrorNote } from '../../design/error-note.js';
import { useLiveQuery } from '../../hive/queries.js';
import { deliveryTo } from '../../hive/recipients.js';
import { idNumber, withMessages } from '../../hive/rows.js';
import { mergeRows, useHive } from '../../hive/store.js';

/** What was sent to an agent, as far as the page knows, newest first. */
export function useInbox(name: string): MessageRow[] {
  const messages = useHive((store) => store.rows.messages);
  return useMemo(
    () =>
      Object.values(messages)
        .filter((message) => deliveryTo(message, name) !== undefined)
        .sort((a, b) => idNumber(b.id) - idNumber(a.id)),
    [messages, name],
  );
}

/**
 * What waits for the agent, why, and what it has read. The row of a broadcast shows a part of its deliveries, so that
 * the hive says whether it reached this agent.
 */
export function InboxTab({ name }: { name: string }): ReactNode {
  const query = useLiveQuery<DashboardAnswers['messages']>(
    `/api/agents/${encodeURIComponent(name)}/inbox?limit=100`,
    (event) => event.kind === 'message_sent' && event.message.delivery_counts !== undefined,
  );
  const { data } = query;
  useEffect(() => {
    if (data) mergeRows((rows) => withMessages(rows, data.messages));
  }, [data]);
  const shown = useInbox(name);
  const known = useHive((store) => store.rows.messages);
  const inbox = useMemo(() => {
    const ids = new Set(shown.map(({ id }) => id));
    const others = (data?.messages ?? []).filter(({ id }) => !ids.has(id));
    return [...shown, ...others.map((message) => known[message.id] ?? message)].sort(
      (a, b) => idNumber(b.id) - idNumber(a.id),
    );
  }, [shown, data, known]);
  const stateOf = (message: MessageRow): 'open' | 'done' | 'unsaid' => {
    const delivery = deliveryTo(message, name);
    if (!delivery) return 'unsaid';
    return delivery.state === 'queued' || delivery.state === 'leased' ? 'open' : 'done';
  };
  const those = (state: string): MessageRow[] => inbox.filter((each) => stateOf(each) === state);
  const open = those('open');
  return (
    <div className="agent-inbox">
      {query.error && <ErrorNote onRetry={query.again}>{query.error}</ErrorNote>}
      {query.loading && inbox.length === 0 && <MessageSkeletons />}
      {inbox.length === 0 && query.data && (
        <Empty title="Its inbox is empty">Nobody has written to {name} yet.</Empty>
      )}
      <Part title={`Waiting or in a turn: ${open.length}`} messages={open} />
      <Part title="Sent to everybody" messages={those('unsaid')} />
      <Part title="Done with" messages={those('done')} />
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
