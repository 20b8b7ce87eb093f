import { MessagesSquare, PenLine, Timer, X } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { Link } from 'wouter';

import type { QuestionRow } from '#libs/protocol';

import { Ago, Until } from '../design/ago.js';
import { announce } from '../design/announce.js';
import { Button } from '../design/button.js';
import { Cell } from '../design/cell.js';
import { Confirm } from '../design/confirm.js';
import { LinkedText } from '../design/linked-text.js';
import { useAction } from '../hive/actions.js';
import { cancelQuestion, questionKey } from '../hive/pending-actions.js';
import { useThreadOfQuestion } from '../hive/pending.js';
import { ActionError } from '../shell/action-error.js';
import { AnswerForm } from './answer-form.js';

/** One open question: who asks whom, until when, and the answer to it. */
export function QuestionItem({ question }: { question: QuestionRow }): ReactNode {
  const { id, asker, target } = question;
  // A question to another is not the operator's to answer, unless they want to.
  const [opened, setOpened] = useState(false);
  return (
    <li className="question" data-question={id}>
      <Cell name={asker} size={30} />
      <article aria-label={`${asker} asks ${target ?? 'you'}`}>
        <header className="question-head">
          <Way question={question} />
          <span className="question-when quiet">
            <Ago at={question.asked_at} suffix=" ago" />
          </span>
          <Countdown at={question.deadline_at} />
        </header>
        <p className="prose question-text">
          <LinkedText text={question.question} />
        </p>
        {target !== null && question.options.length > 0 && !opened && (
          <ul className="question-options" aria-label="Options">
            {question.options.map((option) => (
              <li key={option} className="chip">
                {option}
              </li>
            ))}
          </ul>
        )}
        {target === null ? (
          <AnswerForm question={question}>
            <Also question={question} />
          </AnswerForm>
        ) : (
          opened && <AnswerForm question={question} />
        )}
        {target !== null && (
          <footer className="question-foot">
            <Button
              small
              {...(opened ? { look: 'ghost' } : { icon: <PenLine size={13} /> })}
              aria-label={opened ? `Leave it to ${target}` : `Answer for ${target}, question ${id}`}
              onClick={() => setOpened(!opened)}
            >
              {opened ? `Leave it to ${target}` : `Answer for ${target}`}
            </Button>
            <Also question={question} />
          </footer>
        )}
      </article>
    </li>
  );
}

/** What can be done about a question beside answering it. */
function Also({ question }: { question: QuestionRow }): ReactNode {
  return (
    <>
      <ThreadLink id={question.id} />
      <CancelButton question={question} />
    </>
  );
}

function Way({ question: { asker, target } }: { question: QuestionRow }): ReactNode {
  return (
    <h3 className="question-way">
      <Link href={`/agents/${asker}`} className="mono">
        {asker}
      </Link>{' '}
      asks{' '}
      {target === null ? (
        'you'
      ) : (
        <Link href={`/agents/${target}`} className="mono">
          {target}
        </Link>
      )}
    </h3>
  );
}

/** How long a question still waits; nothing when it waits for ever. */
export function Countdown({ at }: { at: string | null }): ReactNode {
  if (at === null) return null;
  return (
    <span className="countdown" role="timer">
      <Timer size={12} aria-hidden />
      <span className="only-spoken">expires in </span>
      <Until at={at} over="expires now" />
    </span>
  );
}

function ThreadLink({ id }: { id: string }): ReactNode {
  const thread = useThreadOfQuestion(id);
  if (thread === undefined) return null;
  return (
    <Link
      href={`/conversations/${thread}`}
      className="button small ghost"
      aria-label={`Conversation of question ${id}`}
    >
      <MessagesSquare size={13} aria-hidden /> Conversation
    </Link>
  );
}

function CancelButton({ question }: { question: QuestionRow }): ReactNode {
  const { id, asker, target } = question;
  const [asks, setAsks] = useState(false);
  const key = questionKey(id, 'cancel');
  const action = useAction(key);
  return (
    <>
      <Button
        small
        look="ghost"
        busy={action?.state === 'running'}
        icon={<X size={13} />}
        aria-label={`Cancel the question of ${asker}, ${id}`}
        onClick={() => setAsks(true)}
      >
        Cancel
      </Button>
      <ActionError of={key} />
      {asks && (
        <Confirm
          title={`Cancel this question of ${asker}?`}
          verb="Cancel the question"
          onConfirm={() => {
            void cancelQuestion(id).then((done) => {
              if (done) announce(`The question of ${asker} is cancelled.`);
              return undefined;
            });
          }}
          onClose={() => setAsks(false)}
        >
          {asker} is told that it was cancelled and gets no answer
          {target === null ? '.' : `; ${target} is told that none is needed.`}
        </Confirm>
      )}
    </>
  );
}

const OUTCOMES: Record<QuestionRow['state'], { word: string; tone: string }> = {
  open: { word: 'open', tone: 'busy' },
  answered: { word: 'answered', tone: 'ready' },
  expired: { word: 'expired', tone: 'waiting' },
  cancelled: { word: 'cancelled', tone: 'off' },
};

/** A question that is closed, with how. */
export function ResolvedQuestion({ question }: { question: QuestionRow }): ReactNode {
  const { id, asker, target, state, answered_by: by } = question;
  const { word, tone } = OUTCOMES[state];
  return (
    <li className="question resolved" data-question={id}>
      <Cell name={asker} size={22} />
      <article aria-label={`${asker} asked ${target ?? 'you'}`}>
        <header className="question-head">
          <Way question={question} />
          <span className={`mood ${tone}`}>{word}</span>
          <span className="question-when quiet">
            {question.resolved_at && <Ago at={question.resolved_at} suffix=" ago" />}
          </span>
        </header>
        <p className="question-text clip">{question.question}</p>
        {question.answer !== null && (
          <p className="prose question-answer">
            <b className="mono">{by === 'operator' ? 'you' : by}:</b>{' '}
            <LinkedText text={question.answer} />
          </p>
        )}
        {/* The answer came too late: what it was refused for stands where the question went. */}
        <ActionError of={questionKey(id, 'answer')} />
      </article>
    </li>
  );
}
