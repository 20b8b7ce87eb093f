import { useMemo } from 'react';

import {
  parseDeliveryId,
  type DashboardAnswers,
  type MessageRow,
  type NeedsYou,
  type NeedsYouKind,
  type QuestionRow,
  type ReminderRow,
} from '#libs/protocol';

import { act } from './actions.js';
import { callApi } from './http.js';
import { idNumber, withMessages, withQuestions, withReminders, type Rows } from './rows.js';
import { mergeRows, useHive } from './store.js';

/**
 * What waits for somebody: questions, reminders, deliveries that were given up, and the hive's list of what waits for
 * the operator, with what can be done about each.
 */

/** The hive's own list, oldest first. */
export function useNeedsYou(): readonly NeedsYou[] {
  return useHive((store) => store.rows.needs_you.list);
}

/** Entries of one kind, all or those that concern one agent. */
export function useNeedsOf(kind: NeedsYouKind, agent?: string): NeedsYou[] {
  const list = useNeedsYou();
  return useMemo(
    () =>
      list.filter((need) => need.kind === kind && (agent === undefined || need.agent === agent)),
    [list, kind, agent],
  );
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

/** Open questions of which the agent is the asker or the target, newest first. */
export function useOpenQuestionsOf(agent: string): QuestionRow[] {
  const questions = useQuestions();
  return useMemo(
    () =>
      questions.filter(
        ({ state, asker, target }) => state === 'open' && (asker === agent || target === agent),
      ),
    [questions, agent],
  );
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

export function questionKey(id: string, verb: 'answer' | 'cancel'): string {
  return `question/${id}/${verb}`;
}

async function changeQuestion(path: string, body: unknown): Promise<void> {
  const { question } = await callApi<DashboardAnswers['question']>('POST', path, body);
  mergeRows((rows) => withQuestions(rows, [question]));
}

/** Answers a question; one that was asked of an agent is overridden. Resolves true once it is closed. */
export function answerQuestion(id: string, answer: string | string[]): Promise<boolean> {
  return act(
    questionKey(id, 'answer'),
    () => changeQuestion(`/api/questions/${id}/answer`, { answer }),
    (rows) => isSettled(rows, id),
  );
}

export function cancelQuestion(id: string): Promise<boolean> {
  return act(
    questionKey(id, 'cancel'),
    () => changeQuestion(`/api/questions/${id}/cancel`, {}),
    (rows) => isSettled(rows, id),
  );
}

function isSettled(rows: Rows, id: string): boolean {
  return rows.questions[id]?.state !== 'open';
}

export function reminderKey(id: string, verb: 'retry' | 'cancel'): string {
  return `reminder/${id}/${verb}`;
}

async function changeReminder(id: string, verb: 'retry' | 'cancel'): Promise<void> {
  const path = `/api/reminders/${id}/${verb}`;
  const { reminder } = await callApi<DashboardAnswers['reminder']>('POST', path, {});
  mergeRows((rows) => withReminders(rows, [reminder]));
}

/** Has a failed reminder tried again, now. */
export function retryReminder(id: string): Promise<boolean> {
  return act(
    reminderKey(id, 'retry'),
    () => changeReminder(id, 'retry'),
    (rows) => rows.reminders[id]?.state !== 'failed' && !isListed(rows, 'reminder_failed', id),
  );
}

export function cancelReminder(id: string): Promise<boolean> {
  return act(
    reminderKey(id, 'cancel'),
    () => changeReminder(id, 'cancel'),
    (rows) => rows.reminders[id]?.state === 'cancelled',
  );
}

export function deliveryKey(id: string): string {
  return `delivery/${id}/retry`;
}

/** Has a delivery that was given up tried again. `id` is a delivery's, such as `m12.3`. */
export function retryDelivery(id: string): Promise<boolean> {
  return act(
    deliveryKey(id),
    async () => {
      const path = `/api/deliveries/${id}/retry`;
      const { message } = await callApi<DashboardAnswers['message']>('POST', path, {});
      mergeRows((rows) => withMessages(rows, [message]));
    },
    (rows) => !isListed(rows, 'dead_delivery', id),
  );
}

function isListed(rows: Rows, kind: NeedsYouKind, id: string): boolean {
  return rows.needs_you.list.some((need) => need.kind === kind && need.id === id);
}

/** The message of a delivery, as far as the page holds it. */
export function useMessageOfDelivery(id: string): MessageRow | undefined {
  const number = parseDeliveryId(id)?.message;
  return useHive((store) => (number === undefined ? undefined : store.rows.messages[`m${number}`]));
}
