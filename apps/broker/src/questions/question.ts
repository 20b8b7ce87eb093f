import {
  clip,
  formatId,
  HiveError,
  isoTime,
  type QuestionNote,
  type QuestionState,
} from '#libs/protocol';

/** A row of `questions`. */
export interface QuestionRecord {
  id: number;
  /** Incarnation. */
  asker: number;
  /** Incarnation, 0 the operator. */
  target: number;
  question: string;
  /** JSON array of texts. */
  options: string;
  multi: number;
  /** Of the turn that asked (P20). */
  hop: number;
  asked_at: number;
  /** Milliseconds since 1970; null: it stays open. */
  deadline_at: number | null;
  /** The message that a peer was asked by; null when the operator was asked. */
  asked_message: number | null;
  state: QuestionState;
  answer: string | null;
  /** Who answered or cancelled it, 0 the operator; null when it expired or an agent of it was destroyed. */
  answered_by: number | null;
  resolved_at: number | null;
}

/** How a question ends. */
export type Outcome = Pick<QuestionRecord, 'answer' | 'answered_by'> & {
  state: Exclude<QuestionState, 'open'>;
};

/** Characters of the question that its outcome repeats. */
const REPEATED_CHARS = 500;

type NameOf = (id: number) => string;

/** Name of the target on the wire: null is the operator. */
export function targetName(question: QuestionRecord, nameOf: NameOf): string | null {
  return question.target === 0 ? null : nameOf(question.target);
}

/** What the message that asks carries. */
export function askedNote(question: QuestionRecord, nameOf: NameOf): QuestionNote {
  const options = optionsOf(question);
  return {
    ...noteOf(question, nameOf),
    ...(options.length === 0 ? {} : { options, multi: question.multi === 1 }),
    ...(question.deadline_at === null ? {} : { deadline_at: isoTime(question.deadline_at) }),
  };
}

/** What the message with its outcome carries. */
export function outcomeNote(question: QuestionRecord, nameOf: NameOf): QuestionNote {
  return { ...noteOf(question, nameOf), question: clip(question.question, REPEATED_CHARS) };
}

export function optionsOf({ options }: QuestionRecord): string[] {
  return JSON.parse(options) as string[];
}

/** Throws `conflict`, which says how the question ended, unless it is open. */
export function assertOpen(question: QuestionRecord, nameOf: NameOf): void {
  if (question.state === 'open') return;
  const by = question.answered_by === null ? null : nameOf(question.answered_by);
  const at = question.resolved_at === null ? null : isoTime(question.resolved_at);
  throw new HiveError(
    'conflict',
    `the question ${formatId('q', question.id)} is closed: it ${howItEnded(question.state, by)} at ${at}; nothing was changed`,
    { state: question.state, answered_by: by, resolved_at: at },
  );
}

function howItEnded(state: QuestionState, by: string | null): string {
  if (state === 'expired') return 'expired';
  if (by === null) return 'was cancelled because one of its agents was destroyed';
  return `was ${state} by ${by}`;
}

function noteOf(question: QuestionRecord, nameOf: NameOf): QuestionNote {
  return {
    id: formatId('q', question.id),
    state: question.state,
    asker: nameOf(question.asker),
    target: targetName(question, nameOf),
  };
}
