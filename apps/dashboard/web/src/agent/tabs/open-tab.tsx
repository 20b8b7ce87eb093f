import './open.css';
import { MailOpen } from 'lucide-react';
import { useMemo, type ReactNode } from 'react';
import { Link } from 'wouter';

import type { BrokerDashboardApi, Delivery, MessageRow, OpenThread } from '#libs/protocol';

import { Ago } from '../../design/ago.js';
import { ErrorNote } from '../../design/error-note.js';
import { hiveNow } from '../../hive/http.js';
import { useOpenQuestionsOf } from '../../hive/pending.js';
import { useLiveQuery } from '../../hive/queries.js';
import { deliveryTo } from '../../hive/recipients.js';
import { useHive } from '../../hive/store.js';
import { called, COUNTED_STATES, deliveryText } from '../../hive/words.js';
import { QuestionItem } from '../../questions/question-item.js';
import { DeadDeliveries } from './dead-deliveries.js';
import { stillOpen, touchesOpen } from './open-events.js';
import { Part } from './part.js';
import { Reminders } from './reminders.js';

/** All that an agent has not finished: questions, messages, reminders, and what could not be delivered to it. */
export function OpenTab({ name }: { name: string }): ReactNode {
  return (
    <div className="agent-open">
      <OpenThreads name={name} />
      <Reminders name={name} />
      <DeadDeliveries name={name} />
    </div>
  );
}

type Message = Extract<OpenThread, { kind: 'message' }>;

/** Questions come from the rows, which have every open one; which messages are open only the hive can tell. */
function OpenThreads({ name }: { name: string }): ReactNode {
  const query = useLiveQuery<BrokerDashboardApi['agent_threads'][1]>(
    `/api/agents/${encodeURIComponent(name)}/threads`,
    (event) => touchesOpen(event, name),
  );
  const messages = useHive((store) => store.rows.messages);
  const questions = useOpenQuestionsOf(name);
  const { data } = query;
  // Ages are of the moment of the answer; what stands here goes on ageing.
  const read = useMemo(() => ({ data, at: hiveNow() }), [data]);
  const unacked = stillOpen(
    (data?.threads ?? []).filter((thread): thread is Message => thread.kind === 'message'),
    messages,
    name,
  );
  const count = questions.length + unacked.length;
  return (
    <Part title="Open threads" count={count} of="open-threads">
      {query.error && <ErrorNote onRetry={query.again}>{query.error}</ErrorNote>}
      {query.loading && <div className="skeleton open-skeleton" />}
      {data && count === 0 && (
        <p className="quiet open-none">{name} has no open question and no message to answer for.</p>
      )}
      <ul className="open-list">
        {questions.map((question) => (
          <QuestionItem key={question.id} question={question} />
        ))}
        {unacked.map((message) => (
          <MessageItem
            key={message.id}
            message={message}
            delivery={deliveryOf(messages[message.id], name)}
            since={new Date(read.at - message.age_seconds * 1000).toISOString()}
          />
        ))}
      </ul>
      {data?.truncated && <p className="quiet open-none">There is more than this list holds.</p>}
    </Part>
  );
}

function deliveryOf(message: MessageRow | undefined, name: string): Delivery | undefined {
  return message && deliveryTo(message, name);
}

function MessageItem({
  message,
  delivery,
  since,
}: {
  message: Message;
  /** How it stands, and why it waits, as far as the rows tell. */
  delivery: Delivery | undefined;
  since: string;
}): ReactNode {
  const { id, from, state, thread_id: thread, body } = message;
  return (
    <li className="open-item" data-open={id}>
      <MailOpen size={15} aria-hidden />
      <div className="open-what">
        <p className="open-who">
          <span className="mono">
            from <b>{called(from)}</b>
          </span>
          <span className={state === 'leased' ? 'chip honey' : 'chip'}>
            {delivery ? deliveryText(delivery) : COUNTED_STATES[state]}
          </span>
          <span className="quiet">
            <Ago at={since} suffix=" ago" />
          </span>
        </p>
        <p className="prose open-text">{body}</p>
      </div>
      <Link href={`/conversations/${thread}?at=${id}`} className="button small">
        Open <span className="only-spoken">the conversation of {id}</span>
      </Link>
    </li>
  );
}
