import type { BrokerDashboardApi, SendResult } from '#libs/protocol';

import { act } from './actions.js';
import { callApi } from './http.js';
import { withMessages, withReminders } from './rows.js';
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
      const { reminder } = await callApi<BrokerDashboardApi['retry_reminder'][1]>(
        'POST',
        `/api/reminders/${encodeURIComponent(id)}/${verb}`,
        {},
      );
      mergeRows((rows) => withReminders(rows, [reminder]));
    },
    (rows) => {
      const state = rows.reminders[id]?.state;
      return verb === 'cancel' ? state === 'cancelled' : state !== 'failed';
    },
  );
}

export function deliveryKey(id: string): string {
  return `delivery/${id}`;
}

/** Has a dead delivery tried again. */
export function retryDelivery(id: string): Promise<boolean> {
  return act(deliveryKey(id), async () => {
    const { message } = await callApi<BrokerDashboardApi['retry_delivery'][1]>(
      'POST',
      `/api/deliveries/${encodeURIComponent(id)}/retry`,
      {},
    );
    mergeRows((rows) => withMessages(rows, [message]));
  });
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
