import { CheckCheck, PenLine, Play, Reply, ShieldCheck, StepForward } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { Link } from 'wouter';

import { MANAGER, type MessageRow, type NeedsYou } from '#libs/protocol';

import { Ago } from '../design/ago.js';
import { Button } from '../design/button.js';
import { Cell } from '../design/cell.js';
import { agentKey, changeAgent, goOn, markRead, readKey, useAction } from '../hive/actions.js';
import { moodOf, type Tone } from '../hive/mood.js';
import { deliveryKey, reminderKey } from '../hive/pending-actions.js';
import { useMessageOfDelivery, useQuestion, useReminder } from '../hive/pending.js';
import { AnswerForm } from '../questions/answer-form.js';
import { Countdown } from '../questions/question-item.js';
import { RetryReminder } from '../reminders/reminder-item.js';
import { ActionError } from '../shell/action-error.js';
import { RetryDelivery } from '../undelivered/retry-delivery.js';
import type { StuckAgent } from './needs.js';

/** One thing that waits: who is concerned, what it is, and what resolves it. */
function Need({
  name,
  tone,
  what,
  text,
  quote,
  errorsOf = [],
  actions,
  children,
  id,
}: {
  name: string;
  tone?: Tone;
  what: ReactNode;
  text: string;
  /** The words that it is about, when the page holds them. */
  quote?: string | undefined;
  /** Keys of the actions whose errors show here. */
  errorsOf?: readonly string[];
  actions: ReactNode;
  children?: ReactNode;
  id?: string;
}): ReactNode {
  return (
    <li className="need" data-need={id}>
      <Cell name={name} size={26} {...(tone ? { tone } : {})} />
      <div>
        <Link href={`/agents/${name}`} className="mono need-who">
          {name}
        </Link>{' '}
        <span className="quiet">{what}</span>
        <p className="need-text">{text}</p>
        {quote !== undefined && <p className="need-quote clip">{quote}</p>}
        {errorsOf.map((key) => (
          <ActionError key={key} of={key} />
        ))}
      </div>
      <div className="agent-actions">{actions}</div>
      {children}
    </li>
  );
}

function Look({ to, at }: { to: string; at: string }): ReactNode {
  return (
    <Link href={to} className="button small ghost" aria-label={`Look at ${at}`}>
      Look
    </Link>
  );
}

/** An entry of the hive's list. */
export function NeedItem({ need }: { need: NeedsYou }): ReactNode {
  const { kind, key, agent, title, since } = need;
  const age = <Ago at={since} suffix=" ago" />;
  switch (kind) {
    case 'question':
      return <QuestionNeed need={need} />;
    case 'approval':
      return <ApprovalNeed need={need} />;
    case 'dead_delivery':
      return <DeadNeed need={need} />;
    case 'reminder_failed':
      return <ReminderNeed need={need} />;
    case 'hop_limit':
    case 'held_cancelled':
      return (
        <Need
          id={key}
          name={agent}
          tone="waiting"
          what={<>is held · {age}</>}
          text={title}
          errorsOf={[agentKey(agent, 'unpark')]}
          actions={
            <>
              <GoOn name={agent} />
              <Look to={`/agents/${agent}`} at={agent} />
            </>
          }
        />
      );
    default:
      // A kind of a newer hive: the agent's page is where it begins.
      return (
        <Need
          id={key}
          name={agent}
          what={age}
          text={title}
          actions={<Look to={`/agents/${agent}`} at={agent} />}
        />
      );
  }
}

/** A question is answered right here: its form opens below. */
function QuestionNeed({ need: { key, id, agent, title, since } }: { need: NeedsYou }): ReactNode {
  const question = useQuestion(id);
  const [opened, setOpened] = useState(false);
  const open = question?.state === 'open';
  return (
    <Need
      id={key}
      name={agent}
      what={
        <>
          asks you · <Ago at={since} suffix=" ago" />
        </>
      }
      text={title}
      actions={
        <>
          <Countdown at={question?.deadline_at ?? null} />
          {open && (
            <Button
              small
              look={opened ? undefined : 'primary'}
              icon={<PenLine size={13} />}
              aria-expanded={opened}
              aria-label={`Answer ${agent}, question ${id}`}
              onClick={() => setOpened(!opened)}
            >
              Answer
            </Button>
          )}
          <Look to="/questions" at={`question ${id} of ${agent}`} />
        </>
      }
    >
      {open && opened && (
        <div className="need-form">
          <AnswerForm question={question} />
        </div>
      )}
    </Need>
  );
}

/** Nothing is approved unseen: the way to it leads past its diff. */
function ApprovalNeed({ need: { key, id, agent, title, since } }: { need: NeedsYou }): ReactNode {
  return (
    <Need
      id={key}
      name={agent === '' ? MANAGER : agent}
      what={
        <>
          needs your approval · <Ago at={since} suffix=" ago" />
        </>
      }
      text={sentence(title)}
      actions={
        <Link
          href={`/approvals#${id}`}
          className="button small primary"
          aria-label={`Review approval ${id}`}
        >
          <ShieldCheck size={13} aria-hidden /> Review
        </Link>
      }
    />
  );
}

function DeadNeed({ need: { key, id, agent, title, since } }: { need: NeedsYou }): ReactNode {
  const message = useMessageOfDelivery(id);
  return (
    <Need
      id={key}
      name={agent}
      tone="broken"
      what={
        <>
          was not reached · <Ago at={since} suffix=" ago" />
        </>
      }
      text={sentence(title)}
      quote={message?.body}
      errorsOf={[deliveryKey(id)]}
      actions={
        <>
          <RetryDelivery id={id} agent={agent} />
          <Look to="/undelivered" at={`the message to ${agent}, ${id}`} />
        </>
      }
    />
  );
}

function ReminderNeed({ need: { key, id, agent, title, since } }: { need: NeedsYou }): ReactNode {
  const reminder = useReminder(id);
  return (
    <Need
      id={key}
      name={agent}
      tone="broken"
      what={
        <>
          was not reminded · <Ago at={since} suffix=" ago" />
        </>
      }
      text={sentence(title)}
      quote={reminder?.message}
      errorsOf={[reminderKey(id)]}
      actions={
        <>
          <RetryReminder id={id} owner={agent} />
          <Look to="/reminders" at={`reminder ${id} of ${agent}`} />
        </>
      }
    />
  );
}

function sentence(title: string): string {
  return title.charAt(0).toUpperCase() + title.slice(1);
}

function GoOn({ name }: { name: string }): ReactNode {
  const release = useAction(agentKey(name, 'unpark'));
  return (
    <Button
      small
      look="primary"
      busy={release?.state === 'running'}
      icon={<StepForward size={14} />}
      aria-label={`Go on: ${name}`}
      onClick={() => void goOn(name)}
    >
      Go on
    </Button>
  );
}

/** An agent that cannot go on, with the one thing that usually helps. */
export function StuckItem({ stuck: { agent, why } }: { stuck: StuckAgent }): ReactNode {
  const { name } = agent;
  const start = useAction(agentKey(name, 'start'));
  return (
    <Need
      name={name}
      tone={moodOf(agent).tone}
      what={moodOf(agent).word}
      text={why}
      errorsOf={[agentKey(name, 'start'), agentKey(name, 'unpark')]}
      actions={
        <>
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
          {(agent.turn_state === 'held' || agent.state === 'parked') && <GoOn name={name} />}
          <Look to={`/agents/${name}`} at={name} />
        </>
      }
    />
  );
}

/** A message to the operator that nobody marked as read. */
export function UnreadItem({ message }: { message: MessageRow }): ReactNode {
  const { id, from, body, sent_at: at, thread_id: thread } = message;
  const action = useAction(readKey(id));
  return (
    <Need
      name={from}
      what={
        <>
          writes · <Ago at={at} suffix=" ago" />
        </>
      }
      text={body}
      errorsOf={[readKey(id)]}
      actions={
        <>
          <Link href={`/conversations/${thread}`} className="button small">
            <Reply size={14} aria-hidden /> Reply
          </Link>
          <Button
            small
            look="ghost"
            busy={action?.state === 'running'}
            icon={<CheckCheck size={14} />}
            aria-label={`Read: the message of ${from}`}
            onClick={() => void markRead(id)}
          >
            Read
          </Button>
        </>
      }
    />
  );
}
