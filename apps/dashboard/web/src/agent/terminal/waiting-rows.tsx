import { useMemo, type ReactNode } from 'react';

import { BROADCAST } from '#libs/protocol';

import { stillOutgoing, useOutbox } from '../../hive/outbox.js';
import { useHive } from '../../hive/store.js';
import { called, deliveryText, plural } from '../../hive/words.js';
import { useInbox } from '../tabs/inbox-tab.js';
import { Row } from './row.js';

/** Waiting messages that are shown; how many more there are is said. */
const MOST = 6;

interface Waiting {
  key: string;
  from: string;
  body: string;
  why: string;
}

/** What waits for the agent, oldest first: what the operator is just sending, and what is queued and why. */
function useWaiting(name: string): Waiting[] {
  const inbox = useInbox(name);
  const known = useHive((store) => store.rows.messages);
  const outgoing = useOutbox((store) => store.outgoing);
  return useMemo(() => {
    const queued = inbox.toReversed().flatMap(({ id, from, body, deliveries }) => {
      const delivery = deliveries.find(({ to, state }) => to === name && state === 'queued');
      return delivery ? [{ key: id, from, body, why: deliveryText(delivery) }] : [];
    });
    const sending = stillOutgoing(outgoing, known)
      .filter(
        ({ to, state }) => state !== 'failed' && (to.includes(name) || to.includes(BROADCAST)),
      )
      .map(({ key, body }) => ({ key, from: 'operator', body, why: 'on its way' }));
    return [...queued, ...sending];
  }, [inbox, known, outgoing, name]);
}

/** The agent's queue at the end of its terminal: what its next turns will be about, and why they have not begun. */
export function WaitingRows({ name }: { name: string }): ReactNode {
  const waiting = useWaiting(name);
  if (waiting.length === 0) return null;
  const more = waiting.length - MOST;
  return (
    <section className="waiting" aria-label="Waiting">
      {waiting.slice(0, MOST).map(({ key, from, body, why }) => (
        <Row key={key} sign="◌" look="waits">
          <b>{called(from)}</b>
          <span className="waits-body clip">{body}</span>
          <span className="waits-why">{why}</span>
        </Row>
      ))}
      {more > 0 && (
        <Row sign=" " look="note">
          {plural(more, 'more waits', 'more wait')}
        </Row>
      )}
    </section>
  );
}
