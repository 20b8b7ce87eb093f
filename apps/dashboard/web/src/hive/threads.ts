import { useMemo } from 'react';

import { OPERATOR, type AgentRow, type DeliveryState, type MessageRow } from '#libs/protocol';

import { deliveryCounts, deliveryTo, recipientsOf } from './recipients.js';
import { idNumber } from './rows.js';
import { useHive } from './store.js';

/** A conversation: the messages of one thread, oldest first. */
export interface Thread {
  id: string;
  messages: MessageRow[];
  /** Everyone who wrote or was written to, in the order of appearance, as far as the rows show them. */
  participants: string[];
  /** Who wrote, and whom they wrote to: names in the order of appearance, `*` for everybody. */
  names: string[];
  /** Something was sent to everybody, and not every recipient is among the participants. */
  everybody: boolean;
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

/** Deliveries of a message in a state, the operator's own not counted. */
function countOf(message: MessageRow, state: DeliveryState): number {
  const own = deliveryTo(message, OPERATOR)?.state === state ? 1 : 0;
  return (deliveryCounts(message)[state] ?? 0) - own;
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
  const sum = (state: DeliveryState): number =>
    messages.reduce((all, message) => all + countOf(message, state), 0);
  return {
    id,
    messages,
    participants: [
      ...new Set(messages.flatMap((m) => [m.from, ...m.deliveries.map(({ to }) => to)])),
    ],
    names: [...new Set(messages.flatMap((m) => [m.from, ...recipientsOf(m)]))],
    everybody: messages.some((m) => m.broadcast && m.delivery_counts !== undefined),
    last: messages.at(-1) as MessageRow,
    unread: messages.filter(unreadByOperator),
    waiting: sum('queued'),
    dead: sum('dead'),
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
