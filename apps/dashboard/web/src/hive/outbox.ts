import { create } from 'zustand';

import type { MessageRow, Priority, SendResult } from '#libs/protocol';

import { callApi, errorText, hiveNow } from './http.js';
import { recipientsOf, sameRecipients, toField } from './recipients.js';
import { onHiveEvent } from './store.js';

/** What the operator wants to send. */
export interface Draft {
  /** Names, or `*` alone. */
  to: readonly string[];
  body: string;
  in_reply_to?: string;
  priority?: Priority;
}

/** A message that is on its way: it goes when its event shows the real one, or stays with the reason it failed. */
export interface Outgoing extends Draft {
  key: string;
  created_at: number;
  state: 'sending' | 'stored' | 'failed';
  /** Set once the hive answered or its event arrived. */
  id?: string;
  thread_id?: string;
  error?: string;
}

interface OutboxStore {
  outgoing: Outgoing[];
  /** What the hive remarked on a message that it took, by message id. */
  notes: Record<string, string>;
}

export const useOutbox = create<OutboxStore>(() => ({ outgoing: [], notes: {} }));

function change(key: string, to: Partial<Outgoing>): void {
  useOutbox.setState(({ outgoing }) => ({
    outgoing: outgoing.map((message) => (message.key === key ? { ...message, ...to } : message)),
  }));
}

/**
 * Sends a message as the operator. It stands in the conversation at once and settles from its event. Resolves with the
 * answer, or undefined when it failed: the reason then stands at the message.
 */
export async function sendMessage(draft: Draft): Promise<SendResult | undefined> {
  const message: Outgoing = {
    ...draft,
    key: crypto.randomUUID(),
    created_at: hiveNow(),
    state: 'sending',
  };
  useOutbox.setState(({ outgoing }) => ({ outgoing: [...outgoing, message] }));
  return deliver(message);
}

/** Tries a failed message again. It carries the same key, so what did arrive is not sent twice. */
export async function resend(message: Outgoing): Promise<SendResult | undefined> {
  change(message.key, { state: 'sending', error: undefined });
  return deliver(message);
}

export function discard(message: Outgoing): void {
  useOutbox.setState(({ outgoing }) => ({
    outgoing: outgoing.filter(({ key }) => key !== message.key),
  }));
}

async function deliver({
  key,
  to,
  body,
  in_reply_to,
  priority,
}: Outgoing): Promise<SendResult | undefined> {
  try {
    const result = await callApi<SendResult>('POST', '/api/messages', {
      to: toField(to),
      body,
      idempotency_key: key,
      ...(in_reply_to ? { in_reply_to } : {}),
      ...(priority && priority !== 'normal' ? { priority } : {}),
    });
    change(key, { state: 'stored', id: result.id, thread_id: result.thread_id });
    const { note } = result;
    if (note) useOutbox.setState(({ notes }) => ({ notes: { ...notes, [result.id]: note } }));
    return result;
  } catch (error) {
    // What an event was taken for is no longer sure: the same key tells the hive when it is sent again.
    change(key, { state: 'failed', error: errorText(error), id: undefined, thread_id: undefined });
    return undefined;
  }
}

/**
 * The event can be faster than the answer, and names no key: then the oldest equal message on its way is taken for it
 * until the answer says which one it is.
 */
onHiveEvent((event) => {
  if (event.kind !== 'message_sent' || event.message.from_kind !== 'operator') return;
  const key = sentAs(useOutbox.getState().outgoing, event.message);
  if (key)
    change(key, { state: 'stored', id: event.message.id, thread_id: event.message.thread_id });
});

/** The key of the message on its way that a row of the hive stands for, as far as its content tells. */
export function sentAs(outgoing: readonly Outgoing[], message: MessageRow): string | undefined {
  if (outgoing.some(({ id }) => id === message.id)) return undefined;
  return outgoing.find(
    ({ state, to, body, in_reply_to: answered }) =>
      state === 'sending' &&
      body === message.body &&
      answered === message.in_reply_to &&
      sameRecipients(to, recipientsOf(message)),
  )?.key;
}

/** The messages on their way that do not yet stand in `messages`. */
export function stillOutgoing(
  outgoing: readonly Outgoing[],
  messages: Record<string, MessageRow>,
): Outgoing[] {
  return outgoing.filter(({ id }) => id === undefined || !(id in messages));
}
