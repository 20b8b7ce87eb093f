import './answer.css';
import { Send } from 'lucide-react';
import { useId, useState, type FormEvent, type KeyboardEvent, type ReactNode } from 'react';

import type { QuestionRow } from '#libs/protocol';

import { announce } from '../design/announce.js';
import { Button } from '../design/button.js';
import { useAction } from '../hive/actions.js';
import { answerQuestion, questionKey } from '../hive/pending-actions.js';
import { ActionError } from '../shell/action-error.js';
import { answerOf, answerProblem, forgetAnswerDraft, useAnswerDraft } from './answer.js';

/**
 * The answer to one open question: its options, and always words of one's own (PRODUCT 2.1). When another was asked,
 * it says so: the operator's answer stands instead of theirs.
 */
export function AnswerForm({
  question,
  children,
}: {
  question: QuestionRow;
  /** What else can be done about it: stands beside the button. */
  children?: ReactNode;
}): ReactNode {
  const { id, asker, target, options } = question;
  const formId = useId();
  const [draft, setDraft] = useAnswerDraft(id);
  const [fault, setFault] = useState<string>();
  const key = questionKey(id, 'answer');
  const action = useAction(key);
  const answer = answerOf(question, draft);
  // Too long is said while it is written, too little once it is sent.
  const problem = answer.length > 0 ? answerProblem(answer) : fault;
  const change: typeof setDraft = (part) => {
    setFault(undefined);
    setDraft(part);
  };
  const submit = async (): Promise<void> => {
    const wrong = answerProblem(answer);
    setFault(wrong);
    if (wrong || !(await answerQuestion(id, answer))) return;
    forgetAnswerDraft(id);
    announce(`Your answer went to ${asker}.`);
  };
  return (
    <form
      className="answer"
      noValidate
      aria-label={`Answer to ${asker}, question ${id}`}
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        void submit();
      }}
    >
      {options.length > 0 && <Options question={question} draft={draft} onChange={change} />}
      {(options.length === 0 || question.multi || draft.own) && (
        <div className="field">
          <label htmlFor={formId} className={options.length === 0 ? 'only-spoken' : undefined}>
            {options.length === 0 ? 'Your answer' : 'In your own words'}
          </label>
          <textarea
            id={formId}
            className="input"
            rows={2}
            value={draft.text}
            placeholder={options.length === 0 ? 'Your answer' : undefined}
            aria-invalid={problem ? true : undefined}
            aria-describedby={problem ? `${formId}-said` : undefined}
            onChange={({ target: field }) => change({ text: field.value })}
            onKeyDown={(event: KeyboardEvent) => {
              if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
              event.preventDefault();
              void submit();
            }}
          />
        </div>
      )}
      {problem && (
        <p id={`${formId}-said`} className="field-error" role="alert">
          {problem}
        </p>
      )}
      <ActionError of={key} />
      <div className="answer-foot">
        <Button
          look="primary"
          small
          type="submit"
          busy={action?.state === 'running'}
          icon={<Send size={13} />}
        >
          {target === null ? 'Answer' : `Answer for ${target}`}
        </Button>
        {target !== null && (
          <p className="field-hint">
            {target} was asked. Your answer goes to {asker} instead.
          </p>
        )}
        {children}
      </div>
    </form>
  );
}

type Draft = ReturnType<typeof useAnswerDraft>;

function Options({
  question: { id, options, multi },
  draft,
  onChange,
}: {
  question: QuestionRow;
  draft: Draft[0];
  onChange: Draft[1];
}): ReactNode {
  const name = useId();
  const choose = (option: string, on: boolean): void => {
    if (!multi) onChange({ chosen: [option], own: false });
    else if (on) onChange({ chosen: [...draft.chosen, option] });
    else onChange({ chosen: draft.chosen.filter((each) => each !== option) });
  };
  return (
    <fieldset className="answer-options">
      <legend>{multi ? 'Any of these' : 'One of these'}</legend>
      {options.map((option) => (
        <label key={option}>
          <input
            type={multi ? 'checkbox' : 'radio'}
            name={`${name}-${id}`}
            checked={draft.chosen.includes(option) && !draft.own}
            onChange={({ target }) => choose(option, target.checked)}
          />
          <span>{option}</span>
        </label>
      ))}
      {!multi && (
        <label>
          <input
            type="radio"
            name={`${name}-${id}`}
            checked={draft.own}
            onChange={() => onChange({ own: true })}
          />
          <span>Something else</span>
        </label>
      )}
    </fieldset>
  );
}
