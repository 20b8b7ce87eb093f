import './message.css';
import { Check, CornerDownRight, Reply } from 'lucide-react';
import { memo, type ReactNode } from 'react';
import { Link } from 'wouter';

import type { MessageRow } from '#libs/protocol';

import { Ago } from '../design/ago.js';
import { Button } from '../design/button.js';
import { Cell } from '../design/cell.js';
import { ErrorNote } from '../design/error-note.js';
import { LinkedText } from '../design/linked-text.js';
import { dismissAction, markRead, readKey, useAction } from '../hive/actions.js';
import { useOutbox } from '../hive/outbox.js';
import { calledAll, recipientsOf } from '../hive/recipients.js';
import { unreadByOperator } from '../hive/threads.js';
import { called } from '../hive/words.js';
import { Deliveries } from './delivery.js';

/** One message of a conversation with everything that the operator may want to know about it. */
export const MessageItem = memo(function MessageItem({
  message,
  answered,
  onReply,
  inFlow = false,
}: {
  message: MessageRow;
  /** The message that this one answers, when it is not the one right above. */
  answered?: MessageRow;
  onReply?: () => void;
  /** Among messages of other conversations: the message leads to its own. */
  inFlow?: boolean;
}): ReactNode {
  const mine = message.from_kind === 'operator';
  const note = useOutbox((store) => store.notes[message.id]);
  const unread = unreadByOperator(message);
  return (
    <li
      className={['message', mine && 'mine', unread && 'unread'].filter(Boolean).join(' ')}
      id={message.id}
      data-message={message.id}
    >
      <Cell name={message.from} size={30} />
      <article
        className="message-card"
        aria-label={`${message.from} to ${calledAll(recipientsOf(message))}`}
      >
        <header className="message-head">
          <span className="mono message-way">
            <b>{called(message.from)}</b> <span className="quiet">→</span>{' '}
            <b title={message.to}>{calledAll(recipientsOf(message))}</b>
          </span>
          <Marks message={message} />
          <span className="message-when quiet">
            <Ago at={message.sent_at} />
            {inFlow ? (
              <Link href={`/conversations/${message.thread_id}`} className="message-id mono">
                {message.thread_id}
              </Link>
            ) : (
              <span className="message-id mono">{message.id}</span>
            )}
          </span>
        </header>
        {answered && (
          <a className="message-answered" href={`#${answered.id}`} onClick={jump}>
            <CornerDownRight size={12} aria-hidden />
            <b className="mono">{called(answered.from)}</b>
            <span className="clip">{answered.body}</span>
          </a>
        )}
        <p className="prose message-body">
          <LinkedText text={message.body} />
        </p>
        {note && <p className="message-note">{note}</p>}
        <footer className="message-foot">
          <Deliveries message={message} />
          <span className="message-buttons">
            {onReply && (
              <Button
                small
                look="ghost"
                icon={<Reply size={13} />}
                aria-label={`Reply to ${message.from}, message ${message.id}`}
                onClick={onReply}
              >
                Reply
              </Button>
            )}
            {unread && <ReadButton message={message} />}
          </span>
        </footer>
        <ReadError id={message.id} />
      </article>
    </li>
  );
});

function Marks({ message }: { message: MessageRow }): ReactNode {
  return (
    <>
      {message.from_kind === 'external' && <span className="chip violet">external</span>}
      {message.kind !== 'message' && (
        <span className="chip plain">{message.event ?? message.kind}</span>
      )}
      {message.priority !== 'normal' && (
        <span className={message.priority === 'urgent' ? 'chip red' : 'chip plain'}>
          {message.priority}
        </span>
      )}
      {message.may_repeat && (
        <span className="chip plain" title="Sent in a turn that was started again">
          may repeat
        </span>
      )}
    </>
  );
}

function ReadButton({ message }: { message: MessageRow }): ReactNode {
  const action = useAction(readKey(message.id));
  return (
    <Button
      small
      busy={action?.state === 'running'}
      icon={<Check size={13} />}
      aria-label={`Mark message ${message.id} as read`}
      onClick={() => void markRead(message.id)}
    >
      Mark read
    </Button>
  );
}

function ReadError({ id }: { id: string }): ReactNode {
  const key = readKey(id);
  const action = useAction(key);
  if (action?.state !== 'failed') return null;
  return <ErrorNote onDismiss={() => dismissAction(key)}>{action.error}</ErrorNote>;
}

/** Brings the answered message into view without leaving a mark in the history. */
function jump(event: { preventDefault: () => void; currentTarget: HTMLAnchorElement }): void {
  event.preventDefault();
  showMessage(event.currentTarget.hash.slice(1));
}

/** Brings a message of this page into view and marks it for a moment; false when it is not here. */
export function showMessage(id: string): boolean {
  const target = document.querySelector(`#${CSS.escape(id)}`);
  if (!target) return false;
  target.scrollIntoView({ block: 'center' });
  target.classList.add('found');
  setTimeout(() => target.classList.remove('found'), FOUND_MS);
  return true;
}
const FOUND_MS = 2400;
