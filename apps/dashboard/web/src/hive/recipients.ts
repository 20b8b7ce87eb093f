import {
  BROADCAST,
  LIMITS,
  type Delivery,
  type DeliveryState,
  type MessageRow,
} from '#libs/protocol';

import { called } from './words.js';

/** Whom a message was addressed to: names, or `*` alone. Its row has them in one text. */
export function recipientsOf({ to }: Pick<MessageRow, 'to'>): string[] {
  return to.split(', ').filter(Boolean);
}

/** Names as the page says them: `scout, you and 3 more`; `*` is `everybody`. */
export function calledAll(names: readonly string[], most = 4): string {
  const words = names.map((name) => (name === BROADCAST ? 'everybody' : called(name)));
  if (words.length > most) {
    return `${words.slice(0, most - 1).join(', ')} and ${words.length - most + 1} more`;
  }
  return words.join(', ');
}

/** Everyone in a conversation: `you · scout · everybody`. */
export function calledEach(names: readonly string[]): string {
  return names.map((name) => (name === BROADCAST ? 'everybody' : called(name))).join(' · ');
}

/** The names with `name` among them: `*` reaches everybody, so it stands alone. */
export function withRecipient(names: readonly string[], name: string): string[] {
  if (name === BROADCAST) return [BROADCAST];
  return [...new Set([...names.filter((each) => each !== BROADCAST), name])];
}

/** What is wrong with whom a message is for, in words; undefined when nothing is. `agents`: the names that there are. */
export function recipientsProblem(
  names: readonly string[],
  agents: readonly string[],
): string | undefined {
  if (names.length === 0) return 'Choose whom it is for: type @ and a name, or @* for everybody.';
  if (names.includes(BROADCAST)) {
    return agents.length === 0 ? 'There is no agent yet that could read it.' : undefined;
  }
  const gone = names.filter((name) => !agents.includes(name));
  if (gone.length > 0) {
    return `There is no agent called ${gone.join(' or ')}. Take ${gone.length === 1 ? 'it' : 'them'} out of the list.`;
  }
  if (names.length > LIMITS.recipients) {
    return `A list holds ${LIMITS.recipients} names at most, and this one has ${names.length}. Send it in two parts, or to everybody with @*.`;
  }
  return undefined;
}

/** `to` as the API takes it. */
export function toField(names: readonly string[]): string | string[] {
  const [only] = names;
  return names.length === 1 && only !== undefined ? only : [...names];
}

/** Whether two messages are for the same names, in whatever order. */
export function sameRecipients(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name) => other.includes(name));
}

/**
 * Names at the beginning of what is written, `@scout @miner text`, and the text behind them. A name counts once it is
 * followed by a space, and only when somebody has it.
 */
export function addressedIn(
  text: string,
  agents: readonly string[],
): { names: string[]; rest: string } {
  const names: string[] = [];
  let rest = text;
  for (;;) {
    const match = /^@(\*|[a-z][a-z0-9-]*)[,\s]\s*/.exec(rest);
    const name = match?.[1];
    if (!match || name === undefined) break;
    if (name !== BROADCAST && !agents.includes(name)) break;
    names.push(name);
    rest = rest.slice(match[0].length);
  }
  return { names, rest };
}

/** The name at the beginning of what is written that nobody has: `@nobody text`. */
export function unknownIn(text: string, agents: readonly string[]): string | undefined {
  const name = /^@([a-z0-9][a-z0-9-]*)[,\s]/i.exec(text)?.[1];
  return name !== undefined && !agents.includes(name) ? name : undefined;
}

/** How many deliveries of a message are in each state, also when its row does not show them all. */
export function deliveryCounts(message: MessageRow): Partial<Record<DeliveryState, number>> {
  if (message.delivery_counts) return message.delivery_counts;
  const counts: Partial<Record<DeliveryState, number>> = {};
  for (const { state } of message.deliveries) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

/** The delivery to one recipient, when the row shows it. */
export function deliveryTo(message: MessageRow, name: string): Delivery | undefined {
  return message.deliveries.find(({ to }) => to === name);
}

/** Whether somebody wrote a message or was written to, as far as its row tells: it shows a part of many deliveries only. */
export function concerns(message: MessageRow, name: string): boolean {
  return (
    message.from === name ||
    deliveryTo(message, name) !== undefined ||
    (message.broadcast && message.delivery_counts !== undefined)
  );
}
