import { ArrowLeft } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';

import { Empty } from '../design/empty.js';
import { stillOutgoing, useOutbox } from '../hive/outbox.js';
import { concerns } from '../hive/recipients.js';
import { idNumber } from '../hive/rows.js';
import { useHive } from '../hive/store.js';
import { Composer } from './composer.js';
import { useDraft } from './drafts.js';
import { EndPill } from './end-pill.js';
import { MessageItem } from './message-item.js';
import { OutgoingItem } from './outgoing-item.js';
import { useStickyEnd } from './sticky.js';

/** Messages that the flow shows; each leads to its whole conversation. */
const MOST = 100;

/** Everything that is said in the hive as it is said, and where a new conversation begins. */
export function Flow({ agent }: { agent: string }): ReactNode {
  const known = useHive((store) => store.rows.messages);
  const messages = Object.values(known)
    .filter((message) => agent === '' || concerns(message, agent))
    .sort((a, b) => idNumber(a.id) - idNumber(b.id))
    .slice(-MOST);
  const outgoing = stillOutgoing(
    useOutbox((store) => store.outgoing),
    known,
  ).filter(({ in_reply_to: answered }) => answered === undefined);
  const sticky = useStickyEnd(idNumber(messages.at(-1)?.id ?? 'm0') + outgoing.length);
  const [draft, setDraft, forget] = useDraft('flow', agent ? [agent] : []);
  const [, go] = useLocation();
  return (
    <section className="thread flow" aria-label="All messages">
      <header className="thread-head">
        <Link href="/conversations" className="button ghost icon thread-back" aria-label="Back">
          <ArrowLeft size={17} aria-hidden />
        </Link>
        <div className="thread-title">
          <h2>Everything, as it is said</h2>
          <p className="quiet">
            {agent ? `What ${agent} says and hears. ` : ''}Write below to begin a conversation.
          </p>
        </div>
      </header>
      <div className="thread-scroll" ref={sticky.ref} onScroll={sticky.onScroll}>
        <div className="thread-inner">
          {messages.length + outgoing.length === 0 && (
            <Empty title="It is quiet in the hive">
              Choose an agent with @ and write the first message.
            </Empty>
          )}
          <ol className="messages">
            {messages.map((message) => (
              <MessageItem key={message.id} message={message} inFlow />
            ))}
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
          onForget={forget}
          onSent={({ thread_id: thread }) => go(`/conversations/${thread}`)}
        />
      </div>
    </section>
  );
}
