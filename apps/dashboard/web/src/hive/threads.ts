import { useMemo } from 'react';

import type { AgentRow, Delivery, MessageRow } from '#libs/protocol';

import { idNumber } from './rows.js';
import { useHive } from './store.js';

/** A conversation: the messages of one thread, oldest first. */
export interface Thread {
  id: string;
  messages: MessageRow[];
  /** Everyone who wrote or was written to, in the order of appearance. */
  participants: string[];
  last: MessageRow;
  /** Messages to the operator that nobody marked as read. */
  unread: MessageRow[];
  /** Deliveries that wait or were given up, the operator's own unread ones not counted. */
  waiting: number;
  dead: number;
}

export function unreadByOperator(message: MessageRow): boolean {
  return message.deliveries.some(({ to, state }) => to === 'operator' && state === 'queued');
}

function isWaiting({ to, state }: Delivery): boolean {
  return to !== 'operator' && state === 'queued';
}

/** Groups messages into conversations, the one with the newest message first. */
export function threadsOf(messages: readonly MessageRow[]): Thread[] {
  const byThread = new Map<string, MessageRow[]>();
  const inOrder = messages.toSorted((a, b) => idNumber(a.id) - idNumber(b.id));
  for (const message of inOrder) {
    const thread = byThread.get(message.thread_id);
    if (thread) thread.push(message);
    else byThread.set(message.thread_id, [message]);
  }
  return [...byThread]
    .map(([id, thread]) => describe(id, thread))
    .sort((a, b) => idNumber(b.last.id) - idNumber(a.last.id));
}

function describe(id: string, messages: MessageRow[]): Thread {
  const deliveries = messages.flatMap((message) => message.deliveries);
  return {
    id,
    messages,
    participants: [
      ...new Set(messages.flatMap((m) => [m.from, ...m.deliveries.map(({ to }) => to)])),
    ],
    last: messages.at(-1) as MessageRow,
    unread: messages.filter(unreadByOperator),
    waiting: deliveries.filter(isWaiting).length,
    dead: deliveries.filter(({ state }) => state === 'dead').length,
  };
}

export function useThreads(): Thread[] {
  const messages = useHive((store) => store.rows.messages);
  return useMemo(() => threadsOf(Object.values(messages)), [messages]);
}

/** Messages that wait for the operator, newest first. */
export function useOperatorInbox(): MessageRow[] {
  const messages = useHive((store) => store.rows.messages);
  return useMemo(
    () =>
      Object.values(messages)
        .filter(unreadByOperator)
        .sort((a, b) => idNumber(b.id) - idNumber(a.id)),
    [messages],
  );
}

/** All agents: the manager first, the others by name. */
export function useAgents(): AgentRow[] {
  const agents = useHive((store) => store.rows.agents);
  return useMemo(
    () =>
      Object.values(agents).sort(
        (a, b) =>
          Number(b.role === 'manager') - Number(a.role === 'manager') ||
          a.name.localeCompare(b.name),
      ),
    [agents],
  );
}

export function useAgent(name: string): AgentRow | undefined {
  return useHive((store) => Object.values(store.rows.agents).find((agent) => agent.name === name));
}
