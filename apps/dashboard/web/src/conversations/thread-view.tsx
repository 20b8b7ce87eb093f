import { ArrowLeft, CheckCheck } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import { Link, useLocation, useSearch } from 'wouter';

import { OPERATOR, type MessageRow, type SendResult } from '#libs/protocol';

import { Button } from '../design/button.js';
import { Cell } from '../design/cell.js';
import { Empty } from '../design/empty.js';
import { ErrorNote } from '../design/error-note.js';
import { markRead } from '../hive/actions.js';
import { moodOf } from '../hive/mood.js';
import { stillOutgoing, useOutbox } from '../hive/outbox.js';
import { calledEach, recipientsOf } from '../hive/recipients.js';
import { useHive } from '../hive/store.js';
import { unreadByOperator, useAgents, type Thread } from '../hive/threads.js';
import { plural } from '../hive/words.js';
import { Composer } from './composer.js';
import { useDraft } from './drafts.js';
import { EndPill } from './end-pill.js';
import { MessageItem, showMessage } from './message-item.js';
import { OutgoingItem } from './outgoing-item.js';
import { useStickyEnd } from './sticky.js';
import { useThreadMessages } from './thread-messages.js';

/** Senders that have no inbox: an answer goes to those who were written to. */
const WITHOUT_INBOX = new Set<MessageRow['from_kind']>(['operator', 'system', 'external']);

/** Whom an answer to a message goes to. */
function counterparts(message: MessageRow | undefined): string[] {
  if (!message) return [];
  return WITHOUT_INBOX.has(message.from_kind)
    ? recipientsOf(message).filter((name) => name !== OPERATOR)
    : [message.from];
}

/** What the operator's next message answers: what they chose, else the last thing that its recipients said here. */
function answeredBy(
  messages: readonly MessageRow[],
  to: readonly string[],
  chosen: string | undefined,
): MessageRow | undefined {
  return (
    messages.find(({ id }) => id === chosen) ??
    messages.findLast(({ from }) => to.includes(from)) ??
    messages.at(-1)
  );
}

/** One conversation from its first message to its last, and what the operator adds to it. */
export function ThreadView({ id, thread }: { id: string; thread: Thread | undefined }): ReactNode {
  const messages = thread?.messages ?? [];
  const at = new URLSearchParams(useSearch()).get('at') ?? undefined;
  const { reading, error, again, older } = useThreadMessages(id, at);
  const [replyTo, setReplyTo] = useState<string>();
  const [alone, setAlone] = useState(false);
  const last = messages.findLast(({ from }) => from !== 'operator') ?? messages.at(-1);
  const [draft, setDraft] = useDraft(`thread/${id}`, counterparts(last));
  const answers = alone ? undefined : answeredBy(messages, draft.to, replyTo);
  const [, go] = useLocation();
  const known = useHive((store) => store.rows.messages);
  const outgoing = stillOutgoing(
    useOutbox((store) => store.outgoing),
    known,
  ).filter(
    (message) =>
      message.thread_id === id ||
      (message.thread_id === undefined &&
        message.in_reply_to !== undefined &&
        known[message.in_reply_to]?.thread_id === id),
  );
  const sticky = useStickyEnd(messages.length + outgoing.length);
  const { leaveEnd } = sticky;
  const isHere = at !== undefined && messages.some((message) => message.id === at);
  useEffect(() => {
    if (!isHere) return;
    leaveEnd();
    showMessage(at);
  }, [at, isHere, leaveEnd]);

  const sent = (result: SendResult, answered: MessageRow | undefined): void => {
    setReplyTo(undefined);
    setAlone(false);
    if (answered && unreadByOperator(answered)) void markRead(answered.id);
    if (result.thread_id !== id) go(`/conversations/${result.thread_id}`);
  };

  return (
    <section className="thread" aria-label="Conversation">
      <ThreadHead id={id} thread={thread} />
      <div className="thread-scroll" ref={sticky.ref} onScroll={sticky.onScroll}>
        <div className="thread-inner">
          {error && <ErrorNote onRetry={again}>{error}</ErrorNote>}
          {messages.length === 0 && reading && <MessageSkeletons />}
          {messages.length === 0 && !reading && !error && (
            <Empty title="There is no such conversation">
              It may have been swept, or its address is wrong.
            </Empty>
          )}
          {older && (
            <div className="older">
              <Button small look="ghost" busy={reading} onClick={older}>
                Older messages
              </Button>
            </div>
          )}
          {at !== undefined && !isHere && !reading && messages.length > 0 && (
            <p className="quiet thread-missing">The message {at} is no longer kept.</p>
          )}
          <ol className="messages" aria-live="polite" aria-relevant="additions">
            {messages.map((message, index) => {
              const previous = messages[index - 1];
              const answered =
                message.in_reply_to && message.in_reply_to !== previous?.id
                  ? known[message.in_reply_to]
                  : undefined;
              return (
                <MessageItem
                  key={message.id}
                  message={message}
                  {...(answered ? { answered } : {})}
                  onReply={() => {
                    setReplyTo(message.id);
                    setAlone(false);
                    setDraft({ to: counterparts(message), body: draft.body, chosen: true });
                  }}
                />
              );
            })}
            {outgoing.map((message) => (
              <OutgoingItem
                key={message.key}
                message={message}
                onEdit={({ to, body }) => setDraft({ to, body, chosen: true })}
              />
            ))}
          </ol>
        </div>
      </div>
      <div className="thread-compose">
        <EndPill sticky={sticky} />
        <Composer
          draft={draft}
          onDraft={setDraft}
          {...(answers ? { answers } : {})}
          onUnanswer={() => {
            setAlone(true);
            setReplyTo(undefined);
          }}
          onSent={sent}
        />
      </div>
    </section>
  );
}

const CELLS_SHOWN = 6;

function ThreadHead({ id, thread }: { id: string; thread: Thread | undefined }): ReactNode {
  const agents = useAgents();
  const [busy, setBusy] = useState(false);
  const unread = thread?.unread ?? [];
  const cells = thread?.names.slice(0, CELLS_SHOWN) ?? [];
  const readAll = async (): Promise<void> => {
    setBusy(true);
    await Promise.all(unread.map((message) => markRead(message.id)));
    setBusy(false);
  };
  return (
    <header className="thread-head">
      <Link href="/conversations" className="button ghost icon thread-back" aria-label="Back">
        <ArrowLeft size={17} aria-hidden />
      </Link>
      <span className="thread-cells">
        {cells.map((name) => {
          const agent = agents.find((each) => each.name === name);
          return <Cell key={name} name={name} tone={agent && moodOf(agent).tone} size={28} />;
        })}
      </span>
      <div className="thread-title">
        <h2 className="mono clip" title={thread && calledEach(thread.names)}>
          {thread ? calledEach(thread.names) : id}
        </h2>
        <p className="quiet">
          <span className="mono">{id}</span>
          {thread && ` · ${plural(thread.messages.length, 'message')}`}
        </p>
      </div>
      {unread.length > 0 && (
        <Button small busy={busy} icon={<CheckCheck size={14} />} onClick={() => void readAll()}>
          Mark read
        </Button>
      )}
    </header>
  );
}

export function MessageSkeletons(): ReactNode {
  return (
    <div className="message-skeletons" role="status" aria-label="Loading messages">
      <span className="skeleton" />
      <span className="skeleton" />
      <span className="skeleton" />
    </div>
  );
}
