import { useMemo, type ReactNode } from 'react';
import { Link } from 'wouter';

import type { AgentRow, NeedsYouKind } from '#libs/protocol';

import { useNeedsYou } from '../hive/pending.js';
import { useOperatorInbox } from '../hive/threads.js';
import { NeedItem, StuckItem, UnreadItem } from './need-items.js';
import { groupsOf, stuckAgents, type NeedGroup } from './needs.js';

const MOST_MESSAGES = 4;

/** Where the others of a kind are, and what they are called. */
const OTHERS: Partial<Record<NeedsYouKind, { path: string; name: string }>> = {
  question: { path: '/questions', name: 'questions' },
  approval: { path: '/approvals', name: 'approvals' },
  held_cancelled: { path: '/', name: 'agents that are held' },
  hop_limit: { path: '/', name: 'agents past the limit of hops' },
  dead_delivery: { path: '/undelivered', name: 'messages that were given up' },
  reminder_failed: { path: '/reminders', name: 'reminders that failed' },
};

/**
 * All that waits for the operator, first on the page (PRODUCT 7.2): the hive's own list, agents that cannot go on, and
 * unread messages. Each thing once, with what resolves it.
 */
export function NeedsYou({ agents }: { agents: readonly AgentRow[] }): ReactNode {
  const list = useNeedsYou();
  const inbox = useOperatorInbox();
  const groups = useMemo(() => groupsOf(list), [list]);
  const stuck = stuckAgents(agents, list);
  const count = list.length + stuck.length + inbox.length;
  if (count === 0) return null;
  return (
    <section className="needs panel" aria-labelledby="needs">
      <header className="panel-head">
        <h2 className="label" id="needs">
          Needs you
        </h2>
        <span className="count">{count}</span>
      </header>
      <ul>
        {stuck.map((each) => (
          <StuckItem key={each.agent.agent_id} stuck={each} />
        ))}
        {groups.map((group) => (
          <Group key={group.kind} group={group} />
        ))}
        {inbox.slice(0, MOST_MESSAGES).map((message) => (
          <UnreadItem key={message.id} message={message} />
        ))}
        {inbox.length > MOST_MESSAGES && (
          <li className="need more">
            <Link href="/conversations">
              and {inbox.length - MOST_MESSAGES} more unread messages
            </Link>
          </li>
        )}
      </ul>
    </section>
  );
}

function Group({ group: { kind, shown, more } }: { group: NeedGroup }): ReactNode {
  const others = OTHERS[kind] ?? { path: '/', name: 'of the kind' };
  return (
    <>
      {shown.map((need) => (
        <NeedItem key={need.key} need={need} />
      ))}
      {more > 0 && (
        <li className="need more">
          <Link href={others.path}>
            and {more} more {others.name}
          </Link>
        </li>
      )}
    </>
  );
}
