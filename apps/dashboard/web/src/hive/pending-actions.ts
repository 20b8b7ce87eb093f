import type { DashboardAnswers, NeedsYouKind, SendResult } from '#libs/protocol';

import { act } from './actions.js';
import { callApi } from './http.js';
import { withMessages, withQuestions, withReminders, type Rows } from './rows.js';
import { mergeRows } from './store.js';

/** The key of what is done about a reminder: one thing at a time. */
export function reminderKey(id: string): string {
  return `reminder/${id}`;
}

/** Has a failed reminder tried again, or cancels one. Settles once its row says so. */
export function changeReminder(id: string, verb: 'retry' | 'cancel'): Promise<boolean> {
  return act(
    reminderKey(id),
    async () => {
      const { reminder } = await callApi<DashboardAnswers['reminder']>(
        'POST',
        `/api/reminders/${encodeURIComponent(id)}/${verb}`,
        {},
      );
      mergeRows((rows) => withReminders(rows, [reminder]));
    },
    (rows) => {
      const state = rows.reminders[id]?.state;
      if (verb === 'cancel') return state === 'cancelled';
      return state !== 'failed' && !isListed(rows, 'reminder_failed', id);
    },
  );
}

/** The key of what is done about a question. */
export function questionKey(id: string, verb: 'answer' | 'cancel'): string {
  return `question/${id}/${verb}`;
}

async function changeQuestion(path: string, body: unknown): Promise<void> {
  const { question } = await callApi<DashboardAnswers['question']>('POST', path, body);
  mergeRows((rows) => withQuestions(rows, [question]));
}

/** Answers a question; one that was asked of an agent is overridden. Settles once it is closed. */
export function answerQuestion(id: string, answer: string | string[]): Promise<boolean> {
  return act(
    questionKey(id, 'answer'),
    () => changeQuestion(`/api/questions/${encodeURIComponent(id)}/answer`, { answer }),
    (rows) => rows.questions[id]?.state !== 'open',
  );
}

export function cancelQuestion(id: string): Promise<boolean> {
  return act(
    questionKey(id, 'cancel'),
    () => changeQuestion(`/api/questions/${encodeURIComponent(id)}/cancel`, {}),
    (rows) => rows.questions[id]?.state !== 'open',
  );
}

export function deliveryKey(id: string): string {
  return `delivery/${id}`;
}

/** Has a dead delivery tried again. Settles once it no longer needs the operator. */
export function retryDelivery(id: string): Promise<boolean> {
  return act(
    deliveryKey(id),
    async () => {
      const path = `/api/deliveries/${encodeURIComponent(id)}/retry`;
      const { message } = await callApi<DashboardAnswers['message']>('POST', path, {});
      mergeRows((rows) => withMessages(rows, [message]));
    },
    (rows) => !isListed(rows, 'dead_delivery', id),
  );
}

function isListed(rows: Rows, kind: NeedsYouKind, id: string): boolean {
  return rows.needs_you.list.some((need) => need.kind === kind && need.id === id);
}

export function wakeKey(name: string): string {
  return `wake/${name}`;
}

/** Wakes an agent in the name of a program outside the hive. Settles once the message is among the rows. */
export function wakeAgent(name: string, from: string, body: string): Promise<boolean> {
  return act(
    wakeKey(name),
    () =>
      callApi<SendResult>('POST', `/api/agents/${encodeURIComponent(name)}/wake`, { from, body }),
    (rows, { id }) => id in rows.messages,
  );
}
