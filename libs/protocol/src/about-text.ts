import type { Message, QuestionNote, ReminderNote } from './rows.js';
import { quoted } from './text.js';

/** Characters of an option, and of a question that was asked, that stand among the hive's own words. */
const OPTION_CHARS = 200;
const QUESTION_CHARS = 500;

/**
 * What the hive says to a model of a message about a question or of a reminder, before its body: how to answer, or how
 * late it is. One line each; foreign text in it is quoted (P33). No lines for other messages.
 */
export function aboutText({ question, reminder, kind, event }: Message): string[] {
  return [
    ...(question === undefined ? [] : [questionText(question, kind, event)]),
    ...(reminder === undefined ? [] : [reminderText(reminder)]),
  ];
}

function questionText(note: QuestionNote, kind: Message['kind'], event: string | undefined) {
  if (kind === 'answer' || event === 'question_answered') return outcomeText(note);
  if (note.state === 'cancelled') return `question ${note.id} was cancelled; it needs no answer.`;
  if (note.state !== 'open') return `question ${note.id} is ${note.state}; it needs no answer.`;
  const until = note.deadline_at === undefined ? '' : ` It expires at ${note.deadline_at}.`;
  return `question ${note.id}: ${choiceText(note)}Answer with the tool answer and id ${quoted(note.id, 32)}.${until}`;
}

function choiceText({ options = [], multi = false }: QuestionNote): string {
  if (options.length === 0) return '';
  const listed = options.map((option) => quoted(option, OPTION_CHARS)).join(', ');
  const many = multi ? 'one or several of them (several as a list)' : 'one of them';
  return `options ${listed}; choose ${many}, or use your own words. `;
}

function outcomeText({ id, state, target, question }: QuestionNote): string {
  const asked = question === undefined ? '' : `: ${quoted(question, QUESTION_CHARS)}`;
  return `outcome of your question ${id} to ${target ?? 'operator'} (${state})${asked}`;
}

function reminderText(note: ReminderNote): string {
  const { id, occurrence, due_at: due, late_seconds: late, missed } = note;
  return [
    `your reminder ${id}`,
    occurrence > 1 ? `, time ${occurrence}` : '',
    `, was due ${due}`,
    late > 0 ? `, ${late} s late` : '',
    missed > 0 ? `; ${missed} earlier times were missed and do not come any more` : '',
  ].join('');
}
