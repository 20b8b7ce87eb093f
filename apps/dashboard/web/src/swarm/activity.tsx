import { useMemo, type ReactNode } from 'react';
import { Link } from 'wouter';

import type { MessageRow } from '#libs/protocol';

import { DeliveryGlyphs } from '../conversations/delivery.js';
import { Ago } from '../design/ago.js';
import { Cell } from '../design/cell.js';
import { calledAll, recipientsOf } from '../hive/recipients.js';
import { idNumber } from '../hive/rows.js';
import { useHive } from '../hive/store.js';
import { called } from '../hive/words.js';

const MOST = 9;

/** The newest messages of the whole hive; each leads to its conversation. */
export function Activity(): ReactNode {
  const messages = useHive((store) => store.rows.messages);
  const newest = useMemo(
    () =>
      Object.values(messages)
        .sort((a, b) => idNumber(b.id) - idNumber(a.id))
        .slice(0, MOST),
    [messages],
  );
  if (newest.length === 0) {
    return <p className="quiet activity-none">No message has been sent yet.</p>;
  }
  return (
    <ol className="activity">
      {newest.map((message) => (
        <ActivityItem key={message.id} message={message} />
      ))}
    </ol>
  );
}

function ActivityItem({ message }: { message: MessageRow }): ReactNode {
  return (
    <li>
      <Link href={`/conversations/${message.thread_id}`} className="activity-item">
        <Cell name={message.from} size={22} />
        <span className="activity-way mono clip">
          {called(message.from)} <span className="quiet">→</span> {calledAll(recipientsOf(message))}
        </span>
        <span className="activity-end quiet">
          <DeliveryGlyphs message={message} />
          <Ago at={message.sent_at} />
        </span>
        <span className="activity-body clip">{message.body}</span>
      </Link>
    </li>
  );
}
