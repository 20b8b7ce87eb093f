import { useMemo } from 'react';

import {
  parseDeliveryId,
  type MessageRow,
  type NeedsYou,
  type NeedsYouKind,
  type QuestionRow,
  type ReminderRow,
} from '#libs/protocol';

import { idNumber } from './rows.js';
import { useHive } from './store.js';

/**
 * What waits for somebody: questions, reminders, deliveries that were given up, and the hive's list of what waits for
 * the operator. What can be done about each is in pending-actions.
 */

/** The hive's own list, oldest first. */
export function useNeedsYou(): readonly NeedsYou[] {
  return useHive((store) => store.rows.needs_you.list);
}

/** Entries of one kind, all or those that concern one agent. */
export function useNeedsOf(kind: NeedsYouKind, agent?: string): readonly NeedsYou[] {
  const groups = needsByKind(useNeedsYou());
  return groups.get(agent === undefined ? kind : `${kind} ${agent}`) ?? NONE;
}

const NONE: readonly never[] = [];

/** By `kind`, and by `kind agent`: worked out once of each list, however many agents are on the page. */
const needsByKind = once((list: readonly NeedsYou[]) => {
  const groups = new Map<string, NeedsYou[]>();
  for (const need of list) {
    add(groups, need.kind, need);
    add(groups, `${need.kind} ${need.agent}`, need);
  }
  return groups;
});

const openByAgent = once((questions: Readonly<Record<string, QuestionRow>>) => {
  const groups = new Map<string, QuestionRow[]>();
  for (const question of Object.values(questions)) {
    if (question.state !== 'open') continue;
    add(groups, question.asker, question);
    if (question.target !== null) add(groups, question.target, question);
  }
  return groups;
});

function add<Row>(groups: Map<string, Row[]>, key: string, row: Row): void {
  const group = groups.get(key);
  if (group) group.push(row);
  else groups.set(key, [row]);
}

/** What is worked out of an object that never changes: once for each, and forgotten with it. */
function once<Of extends object, Result>(work: (of: Of) => Result): (of: Of) => Result {
  const results = new WeakMap<Of, Result>();
  return (of) => {
    const known = results.get(of);
    if (known !== undefined) return known;
    const result = work(of);
    results.set(of, result);
    return result;
  };
}

/** Questions that the page knows, newest first. */
export function useQuestions(): QuestionRow[] {
  const questions = useHive((store) => store.rows.questions);
  return useMemo(
    () => Object.values(questions).sort((a, b) => idNumber(b.id) - idNumber(a.id)),
    [questions],
  );
}

/** The question itself; undefined when the page does not know it. */
export function useQuestion(id: string): QuestionRow | undefined {
  return useHive((store) => store.rows.questions[id]);
}

/** Open questions of which the agent is the asker or the target. */
export function useOpenQuestionsOf(agent: string): readonly QuestionRow[] {
  return openByAgent(useHive((store) => store.rows.questions)).get(agent) ?? NONE;
}

/** Reminders that the page knows: those that were read, that changed since, and the failed ones. */
export function useReminders(): ReminderRow[] {
  const reminders = useHive((store) => store.rows.reminders);
  return useMemo(() => Object.values(reminders), [reminders]);
}

/** The reminder itself; undefined when the page does not know it. */
export function useReminder(id: string): ReminderRow | undefined {
  return useHive((store) => store.rows.reminders[id]);
}

/** The conversation in which a question was asked or its outcome was told, as far as the page holds it. */
export function useThreadOfQuestion(id: string): string | undefined {
  return useHive(
    (store) =>
      Object.values(store.rows.messages).find(({ question }) => question?.id === id)?.thread_id,
  );
}

/** The message of a delivery, as far as the page holds it. */
export function useMessageOfDelivery(id: string): MessageRow | undefined {
  const number = parseDeliveryId(id)?.message;
  return useHive((store) => (number === undefined ? undefined : store.rows.messages[`m${number}`]));
}
