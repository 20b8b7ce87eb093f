import { create } from 'zustand';

import { LIMITS, type QuestionRow } from '#libs/protocol';

import { utf8Length } from '../hive/words.js';

/** What the operator has chosen and written of an answer. */
export interface AnswerDraft {
  /** Options; of a question that takes one answer at most one. */
  chosen: readonly string[];
  text: string;
  /** One answer is wanted, and it is the text and none of the options. */
  own: boolean;
}

const NOTHING: AnswerDraft = { chosen: [], text: '', own: false };

const useDrafts = create<{ drafts: Record<string, AnswerDraft> }>(() => ({ drafts: {} }));

/** The draft of a question's answer: it is still there when the operator comes back, and in each place of the page. */
export function useAnswerDraft(
  id: string,
): [draft: AnswerDraft, setDraft: (change: Partial<AnswerDraft>) => void] {
  const draft = useDrafts((store) => store.drafts[id]) ?? NOTHING;
  return [
    draft,
    (change) =>
      useDrafts.setState(({ drafts }) => ({
        drafts: { ...drafts, [id]: { ...draft, ...change } },
      })),
  ];
}

export function forgetAnswerDraft(id: string): void {
  useDrafts.setState(({ drafts: { [id]: _gone, ...drafts } }) => ({ drafts }));
}

/** The answer as the API takes it: a text, or several parts for a question that takes several. */
export function answerOf(
  { options, multi }: Pick<QuestionRow, 'options' | 'multi'>,
  { chosen, text, own }: AnswerDraft,
): string | string[] {
  const words = text.trim();
  if (options.length === 0) return words;
  // In the order in which the asker gave them.
  const parts = options.filter((option) => chosen.includes(option));
  if (!multi) return own ? words : (parts[0] ?? '');
  return words === '' ? parts : [...parts, words];
}

/** What is wrong with an answer, in words; undefined when it can be sent. */
export function answerProblem(answer: string | readonly string[]): string | undefined {
  const whole = typeof answer === 'string' ? answer : answer.join(', ');
  if (whole === '') return 'Choose an option or write an answer.';
  const bytes = utf8Length(whole);
  if (bytes > LIMITS.body_bytes) {
    return `This is ${bytes} bytes, and ${LIMITS.body_bytes} is the limit.`;
  }
  return undefined;
}
