import { CheckCheck, Play, Reply, StepForward } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';

import type { AgentRow } from '#libs/protocol';

import { Ago } from '../design/ago.js';
import { Button } from '../design/button.js';
import { Cell } from '../design/cell.js';
import { ErrorNote } from '../design/error-note.js';
import {
  agentKey,
  changeAgent,
  dismissAction,
  goOn,
  markRead,
  readKey,
  useAction,
} from '../hive/actions.js';
import { moodOf, needOf } from '../hive/mood.js';
import { useOperatorInbox, useThreads } from '../hive/threads.js';
import { called } from '../hive/words.js';

const MOST_MESSAGES = 4;

/** All that waits for the operator, first on the page: agents that cannot go on, unread messages, dead deliveries. */
export function NeedsYou({ agents }: { agents: readonly AgentRow[] }): ReactNode {
  const stuck = agents.filter((agent) => needOf(agent) !== undefined);
  const inbox = useOperatorInbox();
  const dead = useThreads().filter((thread) => thread.dead > 0);
  const count = stuck.length + inbox.length + dead.length;
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
        {stuck.map((agent) => (
          <li key={agent.agent_id} className="need">
            <Cell name={agent.name} tone={moodOf(agent).tone} size={26} />
            <div>
              <Link href={`/agents/${agent.name}`} className="mono need-who">
                {agent.name}
              </Link>{' '}
              <span className="quiet">{moodOf(agent).word}</span>
              <p className="need-text">{needOf(agent)}</p>
            </div>
            <Remedy agent={agent} />
          </li>
        ))}
        {inbox.slice(0, MOST_MESSAGES).map((message) => (
          <UnreadItem
            key={message.id}
            id={message.id}
            from={message.from}
            body={message.body}
            at={message.sent_at}
            thread={message.thread_id}
          />
        ))}
        {inbox.length > MOST_MESSAGES && (
          <li className="need more">
            <Link href="/conversations">
              and {inbox.length - MOST_MESSAGES} more unread messages
            </Link>
          </li>
        )}
        {dead.map((thread) => (
          <li key={thread.id} className="need">
            <Cell name={thread.last.to} tone="broken" size={26} />
            <div>
              <span className="mono need-who">{thread.participants.map(called).join(' · ')}</span>
              <p className="need-text">
                {thread.dead === 1 ? 'A message' : `${thread.dead} messages`} in this conversation
                could not be delivered.
              </p>
            </div>
            <Link href={`/conversations/${thread.id}`} className="button small">
              Look
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The one thing that usually helps an agent that cannot go on. */
function Remedy({ agent }: { agent: AgentRow }): ReactNode {
  const { name } = agent;
  const start = useAction(agentKey(name, 'start'));
  const release = useAction(agentKey(name, 'unpark'));
  return (
    <div className="agent-actions">
      {agent.state === 'crashed' && (
        <Button
          small
          busy={start?.state === 'running'}
          icon={<Play size={13} />}
          aria-label={`Start ${name} again`}
          onClick={() => void changeAgent(name, 'start')}
        >
          Start
        </Button>
      )}
      {agent.turn_state === 'held' && (
        <Button
          small
          look="primary"
          busy={release?.state === 'running'}
          icon={<StepForward size={14} />}
          aria-label={`Let ${name} go on`}
          onClick={() => void goOn(name)}
        >
          Go on
        </Button>
      )}
      <Link href={`/agents/${name}`} className="button small ghost">
        Look
      </Link>
    </div>
  );
}

function UnreadItem({
  id,
  from,
  body,
  at,
  thread,
}: {
  id: string;
  from: string;
  body: string;
  at: string;
  thread: string;
}): ReactNode {
  const action = useAction(readKey(id));
  return (
    <li className="need">
      <Cell name={from} size={26} />
      <div>
        <span className="mono need-who">{from}</span>{' '}
        <span className="quiet">
          writes · <Ago at={at} />
        </span>
        <p className="need-text">{body}</p>
        {action?.state === 'failed' && (
          <ErrorNote onDismiss={() => dismissAction(readKey(id))}>{action.error}</ErrorNote>
        )}
      </div>
      <div className="agent-actions">
        <Link href={`/conversations/${thread}`} className="button small">
          <Reply size={14} aria-hidden /> Reply
        </Link>
        <Button
          small
          look="ghost"
          busy={action?.state === 'running'}
          icon={<CheckCheck size={14} />}
          aria-label={`Mark the message of ${from} as read`}
          onClick={() => void markRead(id)}
        >
          Read
        </Button>
      </div>
    </li>
  );
}
