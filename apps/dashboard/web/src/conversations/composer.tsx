import './composer.css';
import { ArrowUp, CornerDownRight, X } from 'lucide-react';
import { useId, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';

import type { MessageRow, Priority, SendResult } from '#libs/protocol';
import { BROADCAST, LIMITS } from '#libs/protocol';

import { Button } from '../design/button.js';
import { moodOf } from '../hive/mood.js';
import { sendMessage } from '../hive/outbox.js';
import {
  addressedIn,
  calledAll,
  recipientsProblem,
  unknownIn,
  withRecipient,
} from '../hive/recipients.js';
import { useAgents } from '../hive/threads.js';
import { called, plural, utf8Length } from '../hive/words.js';
import { useCompletion, type Choice } from './completion.js';
import { Recipients } from './recipient.js';

/** A command that the composer takes instead of a message: `/compact`. */
export interface Slash {
  name: string;
  hint: string;
  run: (argument: string) => string | undefined;
}

const PRIORITIES: readonly Priority[] = ['normal', 'urgent', 'low'];
/** From this share of the limit on the counter shows. */
const COUNT_FROM = 0.5;

export interface ComposerDraft {
  /** Names, or `*` alone. */
  to: readonly string[];
  body: string;
  /** The operator chose the names themselves: what is typed with @ comes to them instead of in their place. */
  chosen?: boolean;
}

/** Where the operator writes: recipients, text with completion, what it answers, how long it may be. */
export function Composer({
  draft,
  onDraft,
  onForget,
  fixed = false,
  answers,
  onUnanswer,
  onSent,
  slashes = [],
  placeholder = 'Write a message. @ names an agent, @* everybody.',
}: {
  draft: ComposerDraft;
  onDraft: (draft: ComposerDraft) => void;
  /** Begins afresh once something was sent; otherwise the next message is for the same names. */
  onForget?: () => void;
  /** The recipients cannot be changed here. */
  fixed?: boolean;
  /** The message that is answered. */
  answers?: MessageRow;
  onUnanswer?: () => void;
  onSent?: (result: SendResult, answered: MessageRow | undefined) => void;
  slashes?: readonly Slash[];
  placeholder?: string;
}): ReactNode {
  const agents = useAgents();
  const field = useRef<HTMLTextAreaElement>(null);
  const [priority, setPriority] = useState<Priority>('normal');
  const [problem, setProblem] = useState<string>();
  const listId = useId();
  const problemId = useId();
  const { to, body } = draft;
  const bytes = utf8Length(body);
  const over = bytes > LIMITS.body_bytes;
  const names = agents.map(({ name }) => name);

  /** Takes what was typed, and gives what of it stays in the field. */
  const setBody = (text: string): string => {
    setProblem(undefined);
    // `@name @other text` at the start says whom it is for.
    const addressed = fixed ? { names: [], rest: text } : addressedIn(text, names);
    if (addressed.names.length === 0) onDraft({ ...draft, body: text });
    else address(addressed.names, addressed.rest);
    return addressed.rest;
  };
  /** Puts names to those that the operator chose, or in place of those that nobody chose. */
  const address = (more: readonly string[], text: string): void => {
    const all = more.reduce<readonly string[]>(withRecipient, draft.chosen ? to : []);
    onDraft({ to: all, body: text, chosen: true });
  };

  const completion = useCompletion(
    (sign, from): readonly Choice[] => {
      if (sign === '/') {
        return from === 0 ? slashes.map(({ name, hint }) => ({ value: name, hint })) : [];
      }
      const choices = agents.map((agent) => ({ value: agent.name, hint: moodOf(agent).word }));
      if (fixed || from > 0 || agents.length === 0) return choices;
      const others = draft.chosen ? choices.filter(({ value }) => !to.includes(value)) : choices;
      const hint = `everybody: ${plural(agents.length, 'agent')}`;
      return [...others, { value: BROADCAST, hint, always: true }];
    },
    ({ value }, from, caret) => {
      const sign = body[from];
      const rest = body.slice(caret).trimStart();
      setProblem(undefined);
      if (sign === '@' && from === 0 && !fixed) address([value], rest);
      else setBody(`${body.slice(0, from)}${sign}${value} ${rest}`);
      field.current?.focus();
    },
  );

  const runSlash = (text: string): boolean => {
    const match = /^\/([a-z-]+)\s*(.*)$/s.exec(text.trim());
    if (!match || slashes.length === 0) return false;
    const slash = slashes.find(({ name }) => name === match[1]);
    const fault = slash
      ? slash.run((match[2] ?? '').trim())
      : `There is no /${match[1]} here. /help lists what there is.`;
    if (fault) setProblem(fault);
    else onDraft({ ...draft, body: '' });
    return true;
  };

  const submit = async (): Promise<void> => {
    const text = body.trimEnd();
    if (text === '' || over || runSlash(text)) return;
    const unknown = to.length === 0 ? unknownIn(text, names) : undefined;
    const fault = unknown
      ? `There is no agent called ${unknown}. Type @ to see who there is.`
      : recipientsProblem(to, names);
    if (fault) {
      setProblem(fault);
      return;
    }
    if (onForget) onForget();
    else onDraft({ ...draft, body: '' });
    setPriority('normal');
    const result = await sendMessage({
      to,
      body: text,
      priority,
      ...(answers ? { in_reply_to: answers.id } : {}),
    });
    if (result) onSent?.(result, answers);
  };

  const onKey = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing || completion.onKey(event)) return;
    if (event.key === 'Backspace' && body === '' && !fixed && to.length > 0) {
      onDraft({ to: to.slice(0, -1), body, chosen: true });
      return;
    }
    // On a touch keyboard Enter makes a line; the button sends.
    const touch = matchMedia('(pointer: coarse)').matches;
    const sends = event.key === 'Enter' && !event.shiftKey && (!touch || event.ctrlKey);
    if (!sends) return;
    event.preventDefault();
    void submit();
  };

  const said =
    problem ??
    (over
      ? `This is ${bytes} bytes, and ${LIMITS.body_bytes} is the limit. Put the text in a file in the shared space and send its path.`
      : undefined);
  const open = completion.choices.length > 0;
  return (
    <form
      className={over ? 'composer over' : 'composer'}
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {answers && (
        <div className="composer-answers">
          <CornerDownRight size={12} aria-hidden />
          <span className="quiet">reply to</span>
          <b className="mono">{called(answers.from)}</b>
          <span className="clip">{answers.body}</span>
          {onUnanswer && (
            <Button
              small
              look="ghost"
              aria-label="Not as a reply"
              icon={<X size={13} />}
              onClick={onUnanswer}
            />
          )}
        </div>
      )}
      <textarea
        ref={field}
        rows={1}
        value={body}
        placeholder={placeholder}
        aria-label={to.length > 0 ? `Message to ${calledAll(to)}` : 'Message'}
        aria-autocomplete="list"
        aria-haspopup="listbox"
        aria-controls={open ? listId : undefined}
        aria-activedescendant={open ? `${listId}-${completion.chosen}` : undefined}
        aria-invalid={said ? true : undefined}
        aria-describedby={said ? problemId : undefined}
        onChange={({ target }) => {
          const typed = target.value;
          const caret = target.selectionStart;
          const kept = setBody(typed);
          completion.moved(kept, Math.max(0, caret - (typed.length - kept.length)));
        }}
        onSelect={({ currentTarget }) => {
          if (open && currentTarget.selectionStart !== currentTarget.value.length) {
            completion.moved(currentTarget.value, currentTarget.selectionStart);
          }
        }}
        onKeyDown={onKey}
        onBlur={completion.close}
      />
      {open && (
        <ul id={listId} className="choices" role="listbox" aria-label="Completions">
          {completion.choices.map((choice, index) => (
            // The text field above takes the keys for its options.
            <li
              key={choice.value}
              id={`${listId}-${index}`}
              role="option"
              aria-selected={index === completion.chosen}
              onMouseMove={() => completion.choose(index)}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => completion.pick(index)}
            >
              <span className="mono">{choice.value}</span>
              <span className="quiet">{choice.hint}</span>
            </li>
          ))}
        </ul>
      )}
      {said && (
        <p id={problemId} className="field-error composer-said" role="alert">
          {said}
        </p>
      )}
      <div className="composer-foot">
        {fixed ? (
          <span className="composer-to mono">
            to <b>{calledAll(to)}</b>
          </span>
        ) : (
          <Recipients
            to={to}
            onChange={(changed) => {
              setProblem(undefined);
              onDraft({ to: changed, body, chosen: true });
            }}
          />
        )}
        <label className="composer-priority">
          <span className="only-spoken">Priority</span>
          <select
            value={priority}
            onChange={({ target }) =>
              setPriority(PRIORITIES.find((each) => each === target.value) ?? 'normal')
            }
          >
            {PRIORITIES.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
        {bytes > LIMITS.body_bytes * COUNT_FROM && (
          <span className="composer-count mono nums">
            {bytes} / {LIMITS.body_bytes}
          </span>
        )}
        <Button
          type="submit"
          look="primary"
          small
          off={body.trim() === '' || over}
          icon={<ArrowUp size={14} />}
        >
          Send
        </Button>
      </div>
    </form>
  );
}
