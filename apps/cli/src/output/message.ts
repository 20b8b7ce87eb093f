import type { MessageRow } from '#libs/protocol';

import { age, oneLine, plain } from './text.js';

/** A message in words: who, when, what it answers, then its body, indented. */
export function messageWords(message: MessageRow, now: number): string {
  const reply = message.in_reply_to === undefined ? '' : `, answers ${message.in_reply_to}`;
  const head = `${message.id} from ${message.from}, ${age(message.sent_at, now)} ago${reply}`;
  return `${head}\n${indented(message.body)}`;
}

/** The same with whom it went to, how far it got there, and its thread. */
export function sentMessageWords(message: MessageRow, now: number): string {
  const { id, from, to, thread_id: thread, deliveries } = message;
  const states = deliveries.map(({ to: name, state, waits_for: waits, reason }) => {
    const why = waits ?? reason;
    return `${name} ${state}${why === undefined ? '' : ` (${oneLine(why)})`}`;
  });
  const reply = message.in_reply_to === undefined ? '' : `, answers ${message.in_reply_to}`;
  const head = `${id} from ${from} to ${to}, ${age(message.sent_at, now)} ago, thread ${thread}${reply}`;
  const fate = states.length === 0 ? '' : `\n  [${stateWords(states)}]`;
  return `${head}\n${indented(message.body)}${fate}`;
}

/** Most recipients that are named one by one. */
const MOST_NAMED = 8;

function stateWords(states: string[]): string {
  const rest = states.length - MOST_NAMED;
  return [...states.slice(0, MOST_NAMED), ...(rest > 0 ? [`${rest} more`] : [])].join(', ');
}

function indented(text: string): string {
  return plain(text).replaceAll(/^/gm, '  ');
}
